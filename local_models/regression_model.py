"""A transformer that reads vectors instead of tokens: a Llama between a linear read-in and a linear read-out.

Its folder is that of the Llama (config.json, model.safetensors), which
transformers opens as `AutoModel`, with the two linear maps and their sizes in
`maps.safetensors` and `maps.json` beside it. It has no tokenizer and is no
causal language model: suites cannot ask it.
"""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaModel

from harness.errors import CheckpointError
from harness.local_models.checkpoints import check_directory

_SIZES, _MAPS = "maps.json", "maps.safetensors"


class RegressionModel(torch.nn.Module):
    """Predicts y of each example from those before it.

    Examples are interleaved, x_0, y_0, x_1, ... (Garg et al. 2022): x fills the
    first `dimensions` inputs, y the last, and each leaves the others zero. The
    prediction of y_k is read at x_k. Activations: run `body` on `embedded`.
    """

    def __init__(self, dimensions: int, config: LlamaConfig) -> None:
        super().__init__()
        self.dimensions = dimensions
        self.body = LlamaModel(config)
        self.read_in = torch.nn.Linear(dimensions + 1, config.hidden_size)
        self.read_out = torch.nn.Linear(config.hidden_size, 1)

    def embedded(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return what the body reads, (batch, 2 examples, width); shapes as in `forward`."""
        batch, examples, d = x.shape
        inputs = x.new_zeros(batch, 2 * examples, d + 1)
        inputs[:, ::2, :d] = x
        inputs[:, 1::2, d] = y
        return self.read_in(inputs)  # type: ignore[no-any-return]

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the prediction of each y, (batch, examples), from x (batch, examples, dimensions) and y before it."""
        states = self.body(inputs_embeds=self.embedded(x, y)).last_hidden_state
        return self.read_out(states[:, ::2])[..., 0]  # type: ignore[no-any-return]


def save_regression(model: RegressionModel, directory: Path) -> None:
    """Write a model as its folder."""
    directory.mkdir(parents=True, exist_ok=True)
    model.body.config.save_pretrained(directory)
    weights = {k: v.detach().float().cpu().contiguous() for k, v in model.state_dict().items()}
    body = {k.removeprefix("body."): v for k, v in weights.items() if k.startswith("body.")}
    save_file(body, directory / "model.safetensors", metadata={"format": "pt"})
    save_file({k: v for k, v in weights.items() if not k.startswith("body.")}, directory / _MAPS)
    (directory / _SIZES).write_text(json.dumps({"dimensions": model.dimensions}) + "\n", encoding="utf-8")


def load_regression(directory: str | Path) -> RegressionModel:
    """Return the model of a folder, in evaluation mode. Raises CheckpointError if it does not hold one."""
    directory = Path(directory)
    check_directory(directory)
    try:
        dimensions = int(json.loads((directory / _SIZES).read_text(encoding="utf-8"))["dimensions"])
        model = RegressionModel(dimensions, LlamaConfig.from_pretrained(directory, local_files_only=True))
        body = {f"body.{k}": v for k, v in load_file(directory / "model.safetensors").items()}
        model.load_state_dict({**body, **load_file(directory / _MAPS)})
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(
            f"{str(directory)!r} holds no regression model ({error}): train one with `icl train sparse-regression`"
        ) from error
    return model.eval()
