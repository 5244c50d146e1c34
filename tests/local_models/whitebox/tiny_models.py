"""Tiny random models of several architectures, built from their configurations: no network, no files."""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.sites import TokenRows

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VOCABULARY, WIDTH, LAYERS, HEADS = 40, 32, 3, 4
NAMES = ("llama", "gpt2", "qwen3", "gemma2", "mamba")
TUPLES = ("bloom", "falcon")  # whose blocks return tuples; the others return bare tensors
BUNDLED = "local/icl-mixture"


def build(name: str, seed: int = 0) -> "PreTrainedModel":
    """Build a new model, in evaluation mode; random weights wide enough that predictions are far from uniform."""
    import torch
    import transformers as t

    torch.set_num_threads(1)
    if name == BUNDLED:
        from harness.local_models.loading import load_checkpoint

        return load_checkpoint("icl-mixture", device="cpu").model
    modern = {
        "vocab_size": VOCABULARY,
        "hidden_size": WIDTH,
        "intermediate_size": 48,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": 2,
        "max_position_embeddings": 64,
        "initializer_range": 0.2,
    }
    configs = {
        "llama": lambda: t.LlamaConfig(**modern),
        "qwen3": lambda: t.Qwen3Config(**modern, head_dim=12),  # heads wider in all than the stream
        "gemma2": lambda: t.Gemma2Config(**modern, head_dim=8, sliding_window=6, query_pre_attn_scalar=8),
        "granite": lambda: t.GraniteConfig(**modern, residual_multiplier=0.5),
        "gpt2": lambda: t.GPT2Config(
            vocab_size=VOCABULARY,
            n_embd=WIDTH,
            n_layer=LAYERS,
            n_head=HEADS,
            n_positions=64,
            initializer_range=0.2,
            bos_token_id=0,
            eos_token_id=0,
        ),
        "mamba": lambda: t.MambaConfig(
            vocab_size=VOCABULARY,
            hidden_size=WIDTH,
            num_hidden_layers=LAYERS,
            state_size=4,
            initializer_range=0.2,
        ),
        "bloom": lambda: t.BloomConfig(
            vocab_size=VOCABULARY, hidden_size=WIDTH, n_layer=LAYERS, n_head=HEADS, initializer_range=0.2
        ),
        "falcon": lambda: t.FalconConfig(
            vocab_size=VOCABULARY,
            hidden_size=WIDTH,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            initializer_range=0.2,
            bos_token_id=0,
            eos_token_id=0,
        ),
    }
    torch.manual_seed(seed)
    model = t.AutoModelForCausalLM.from_config(configs[name]())
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model.eval()


@cache
def box_of(name: str) -> WhiteBox:
    """Return one WhiteBox a model for the whole session: a test that changes the model builds its own."""
    return WhiteBox(build(name))


def rows_of(*lengths: int, seed: int = 0, vocabulary: int = VOCABULARY, prefix: int = 0) -> TokenRows:
    """Draw rows of these lengths, which agree in their first `prefix` tokens."""
    rng = np.random.default_rng(seed)
    first = tuple(rng.integers(1, vocabulary, prefix).tolist())
    return TokenRows(tuple(first + tuple(rng.integers(1, vocabulary, n - prefix).tolist()) for n in lengths))


def vocabulary_of(box: WhiteBox) -> int:
    """Return the number of tokens of a model."""
    return int(box.model.config.vocab_size)


def hooks_of(box: WhiteBox) -> int:
    """Count every hook on every module."""
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
    return sum(len(getattr(module, kind)) for module in box.model.modules() for kind in kinds)


def vector(width: int, seed: int = 7) -> np.ndarray:
    """Draw a steering vector about as long as a random residual stream."""
    return np.random.default_rng(seed).standard_normal(width).astype(np.float32)
