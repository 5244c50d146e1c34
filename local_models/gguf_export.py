"""Write a trained one-character-per-token Llama as a GGUF file, the format of llama.cpp.

Serving the bundled checkpoint through a real OpenAI-compatible server checks
the network adapters against numbers computed here.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.errors import CheckpointError, MissingExtra

if TYPE_CHECKING:
    from gguf import GGUFWriter

Weights = dict[str, NDArray[np.float32]]

_LAYER = {  # GGUF name -> Hugging Face name, within one block
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def export_gguf(checkpoint_dir: str | Path, out_path: str | Path) -> None:
    """Convert a checkpoint of one of our recipes to GGUF (float32).

    The tokenizer is written as GPT-2 byte-level BPE that never merges, which
    splits text into the same tokens. Raises CheckpointError for another
    architecture or tokenizer: llama.cpp's own converter handles those.
    """
    try:
        import gguf
    except ImportError as error:
        raise MissingExtra("gguf is not installed: pip install 'icl-harness[local]'") from error
    source = Path(checkpoint_dir)
    config = _config(source)
    vocabulary = _vocabulary(source)
    writer = gguf.GGUFWriter(str(out_path), "llama")
    writer.add_name(source.name)
    _write_shape(writer, config)
    _write_tokenizer(writer, vocabulary)
    for name, tensor in _tensors(_weights(source), config).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _config(source: Path) -> dict[str, object]:
    path = source / "config.json"
    if not path.is_file():
        raise CheckpointError(f"{str(source)!r} has no config.json: name a checkpoint directory")
    config: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    plain_rope = _rope(config).get("rope_type", "default") == "default"
    if config.get("model_type") != "llama" or config.get("attention_bias") or not plain_rope:
        raise CheckpointError(
            f"{path}: model_type={config.get('model_type')!r} is not a plain Llama; "
            "use convert_hf_to_gguf.py of llama.cpp for other models"
        )
    return config


def _rope(config: dict[str, object]) -> dict[str, object]:
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    return rope if isinstance(rope, dict) else {}


def _vocabulary(source: Path) -> list[str]:
    path = source / "tokenizer.json"
    model = json.loads(path.read_text(encoding="utf-8"))["model"] if path.is_file() else {}
    tokens = sorted(model.get("vocab", {}), key=lambda token: model["vocab"][token])
    # Byte-level BPE writes printable ASCII as itself; other bytes would need its own alphabet.
    plain = all(len(t) == 1 and "!" <= t <= "~" for t in tokens[2:])
    if model.get("type") != "WordLevel" or tokens[:2] != ["<s>", "<unk>"] or not plain:
        raise CheckpointError(
            f"{path}: tokenizer {model.get('type')!r} is not one printable ASCII character a token "
            "after '<s>' and '<unk>'; only checkpoints of `icl train` are exported"
        )
    return tokens


def _weights(source: Path) -> Weights:
    from safetensors.numpy import load_file

    path = source / "model.safetensors"
    if not path.is_file():
        raise CheckpointError(f"{str(source)!r} has no model.safetensors (a sharded model is not exported)")
    return {name: w.astype(np.float32) for name, w in load_file(path).items()}


def _tensors(weights: Weights, config: dict[str, object]) -> Weights:
    out = {
        "token_embd.weight": weights["model.embed_tokens.weight"],
        "output_norm.weight": weights["model.norm.weight"],
    }
    if "lm_head.weight" in weights:  # absent when tied: llama.cpp then reuses the embedding
        out["output.weight"] = weights["lm_head.weight"]
    heads = {"attn_q": _int(config, "num_attention_heads"), "attn_k": _int(config, "num_key_value_heads")}
    for block in range(_int(config, "num_hidden_layers")):
        for ours, theirs in _LAYER.items():
            w = weights[f"model.layers.{block}.{theirs}.weight"]
            out[f"blk.{block}.{ours}.weight"] = _interleave(w, heads[ours]) if ours in heads else w
    return out


def _interleave(w: NDArray[np.float32], n_heads: int) -> NDArray[np.float32]:
    """Reorder the rows of a q or k projection.

    Transformers rotates dimension i with i + d/2, GGUF's llama rotates neighbours.
    """
    rows, columns = w.shape
    halves = w.reshape(n_heads, 2, rows // n_heads // 2, columns)
    return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(rows, columns)


def _write_shape(writer: "GGUFWriter", config: dict[str, object]) -> None:
    import gguf

    theta = _rope(config).get("rope_theta", config.get("rope_theta", 10000.0))
    heads = _int(config, "num_attention_heads")
    writer.add_context_length(_int(config, "max_position_embeddings"))
    writer.add_embedding_length(_int(config, "hidden_size"))
    writer.add_block_count(_int(config, "num_hidden_layers"))
    writer.add_feed_forward_length(_int(config, "intermediate_size"))
    writer.add_head_count(heads)
    writer.add_head_count_kv(_int(config, "num_key_value_heads"))
    writer.add_rope_dimension_count(_int(config, "hidden_size") // heads)
    writer.add_rope_freq_base(float(str(theta)))
    writer.add_layer_norm_rms_eps(float(str(config["rms_norm_eps"])))
    writer.add_vocab_size(_int(config, "vocab_size"))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)


def _write_tokenizer(writer: "GGUFWriter", vocabulary: list[str]) -> None:
    import gguf

    normal, control = gguf.TokenType.NORMAL, gguf.TokenType.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocabulary)
    writer.add_token_types([control, control] + [normal] * (len(vocabulary) - 2))
    writer.add_token_merges(["< <"])  # the reader wants at least one; these never follow each other
    writer.add_bos_token_id(0)
    # Without an end token llama.cpp takes token 11, a letter, and stops generating there.
    writer.add_eos_token_id(0)
    writer.add_unk_token_id(1)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)


def _int(config: dict[str, object], key: str) -> int:
    value = config[key]
    if not isinstance(value, int):
        raise CheckpointError(f"config.json: {key}={value!r} is not a whole number")
    return value
