"""Drawn symbols from a real server that reports no log-probabilities: `transformers serve` with the bundled model.

It answers HTTP 200 without the log-probabilities that were asked for, ignores
n, and draws nothing at random unless the checkpoint's generation_config.json
says do_sample. So the model is served twice: as it is, where measuring must be
refused, and with that file, where the draws must agree with the exact
probabilities of the local adapter.

    python -m venv ENV && ENV/bin/pip install 'transformers[serving]'
    .venv/bin/python -m benchmarks.transformers_serve --transformers ENV/bin/transformers
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks._server_process import free_port, serving
from harness.errors import ModelError
from harness.local_models.checkpoints import resolve_checkpoint
from tests.asking import ask_exactly, ask_for_draws, outside_wilson

LOCAL = "local/icl-mixture"
SUITE = """\
name: drawn
seed: 6
models: [local/icl-mixture]
tasks:
  - family: periodic
    params: {period: 3, symbols: letters}
    context_lengths: {from: 0, to: 40, step: 4}
    sequences: 1
    samples: 64
  - family: bernoulli
    params: {p: 0.8}
    context_lengths: [0, 1, 2, 4, 8, 16, 32, 64, 128, 250]
    sequences: 1
    samples: 64
"""
DRAWING = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--transformers", required=True, help="the transformers command of the server's environment"
    )
    arguments = parser.parse_args()
    bundled = resolve_checkpoint("icl-mixture").directory
    assert bundled is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
            shutil.copy(bundled / file, folder)
        with transformers_server(arguments.transformers, folder) as served:
            try:
                ask_for_draws(served, SUITE)
                print("as it is: MEASURED, although it draws nothing at random")
            except ModelError as error:
                print(f"as it is: refused: {str(error).replace(str(folder), 'MODEL')}")
        (folder / "generation_config.json").write_text(json.dumps(DRAWING), encoding="utf-8")
        with transformers_server(arguments.transformers, folder) as served:
            print_draws(served)


def print_draws(served: str) -> None:
    """Print how often the exact probability lies outside the interval of what was drawn."""
    started = time.perf_counter()
    drawn = ask_for_draws(served, SUITE)
    seconds = time.perf_counter() - started
    exact = ask_exactly(LOCAL, SUITE)
    missed = outside_wilson(exact.p, drawn, confidence=0.95)
    print(
        f"with do_sample: {drawn.draws.sum()} draws at {drawn.draws.size} context lengths in {seconds:.0f} s:"
    )
    print(f"{missed.sum()} of {missed.size} exact probabilities outside the 95 % Wilson interval")


@contextmanager
def transformers_server(transformers: str, model: Path) -> Iterator[str]:
    """Serve a checkpoint directory and yield the name that the harness knows it by."""
    port = free_port()
    command = [transformers, "serve", str(model), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--device", "cpu"]
    with serving(command, f"http://127.0.0.1:{port}/health", environ={"HF_HUB_OFFLINE": "1"}):
        os.environ["TRANSFORMERS_BASE_URL"] = f"http://127.0.0.1:{port}/v1"
        yield f"openai-api/transformers/{model}"


if __name__ == "__main__":
    main()
