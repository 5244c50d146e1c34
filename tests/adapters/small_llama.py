"""A small random llama for tests of servers, and what torch computes of it."""

from pathlib import Path

import torch

from harness.local_models.character_tokenizer import save_character_tokenizer
from harness.types import Floats, Prompt

SYMBOLS = "HTAB01abcdefghijklmnopqrstuvwxyz23456789"  # 40 and two special tokens
POSITIONS = 160


def save_llama(directory: Path) -> None:
    """Write a random llama of 2 layers; weights large enough that its predictions are far from uniform."""
    from safetensors.torch import save_file
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=2 + len(SYMBOLS),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=POSITIONS,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=None,
        pad_token_id=None,
        initializer_range=0.1,
        dtype="float32",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = LlamaForCausalLM(config)
    model.config.save_pretrained(directory)
    weights = {k: v.contiguous() for k, v in model.state_dict().items() if k != "lm_head.weight"}
    save_file(weights, directory / "model.safetensors", metadata={"format": "pt"})
    save_character_tokenizer(directory, SYMBOLS, POSITIONS)


def expected(checkpoint: Path, prompt: Prompt, lengths: tuple[int, ...]) -> Floats:
    """Log-probabilities of the prompt's symbols by a direct forward pass."""
    from transformers import LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(checkpoint).eval()
    ids = [0, *(2 + SYMBOLS.index(prompt.surfaces[s]) for s in prompt.symbols)]
    with torch.inference_mode():
        logits = model(torch.tensor([ids])).logits[0]
    columns = [2 + SYMBOLS.index(s) for s in prompt.surfaces]
    values: Floats = torch.log_softmax(logits.double(), dim=-1)[list(lengths)][:, columns].numpy()
    return values
