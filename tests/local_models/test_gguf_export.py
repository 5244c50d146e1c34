"""GGUF export: read back tensor by tensor, and served by llama.cpp itself."""

import json
from pathlib import Path

import numpy as np
import pytest

from harness.errors import CheckpointError
from harness.local_models.checkpoints import resolve_checkpoint
from harness.local_models.gguf_export import export_gguf

gguf = pytest.importorskip("gguf")


def bundled() -> Path:
    directory = resolve_checkpoint("icl-mixture").directory
    assert directory is not None
    return directory


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "icl-mixture.gguf"
    export_gguf(bundled(), path)
    return path


def test_metadata_is_that_of_the_checkpoint(exported: Path) -> None:
    fields = gguf.GGUFReader(exported).fields
    config = json.loads((bundled() / "config.json").read_text())
    assert fields["general.architecture"].contents() == "llama"
    assert fields["llama.context_length"].contents() == config["max_position_embeddings"]
    assert fields["llama.block_count"].contents() == config["num_hidden_layers"]
    assert fields["tokenizer.ggml.add_bos_token"].contents() is True
    vocabulary = json.loads((bundled() / "tokenizer.json").read_text())["model"]["vocab"]
    assert {t: i for i, t in enumerate(fields["tokenizer.ggml.tokens"].contents())} == vocabulary


def test_the_end_token_is_no_symbol(exported: Path) -> None:
    # llama.cpp's default would be token 11, a letter, at which generation stops.
    assert gguf.GGUFReader(exported).fields["tokenizer.ggml.eos_token_id"].contents() == 0


def test_every_weight_is_there_and_queries_are_only_reordered(exported: Path) -> None:
    from safetensors.numpy import load_file

    weights = load_file(bundled() / "model.safetensors")
    tensors = {t.name: np.array(t.data) for t in gguf.GGUFReader(exported).tensors}
    assert len(tensors) == len(weights)
    np.testing.assert_array_equal(tensors["token_embd.weight"], weights["model.embed_tokens.weight"])
    np.testing.assert_array_equal(
        tensors["blk.1.attn_v.weight"], weights["model.layers.1.self_attn.v_proj.weight"]
    )
    q, w = tensors["blk.0.attn_q.weight"], weights["model.layers.0.self_attn.q_proj.weight"]
    head = w.shape[0] // 4
    np.testing.assert_array_equal(q[head], w[head])  # rows of the second head: 0, d/2, 1, d/2 + 1, ...
    np.testing.assert_array_equal(q[head + 1], w[head + head // 2])
    np.testing.assert_array_equal(q[head + 2], w[head + 1])


def test_llama_cpp_computes_the_same_distribution(exported: Path) -> None:
    xllamacpp = pytest.importorskip("xllamacpp")
    import torch

    from harness.local_models.loading import load_checkpoint

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(exported)
    parameters.n_ctx, parameters.n_parallel, parameters.cpuparams.n_threads = 288, 1, 1
    parameters.warmup, parameters.port = False, 0
    server = xllamacpp.Server(parameters)
    loaded = load_checkpoint("icl-mixture", device="cpu")
    for text in ("HHTHTTHTHHTHHTTT", "0110110110110", "abcabcabcabca", "2345923459"):
        reply = server.handle_completions({"prompt": text, "max_tokens": 1, "logprobs": 5, "temperature": 0})
        (choice,) = reply["choices"]
        tokens = loaded.tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            logp = torch.log_softmax(loaded.model(tokens).logits[0, -1], dim=-1)
        assert reply["usage"]["prompt_tokens"] == len(text) + 1  # BOS
        for entry in choice["logprobs"]["content"][0]["top_logprobs"]:
            # llama.cpp keeps keys and values in half precision: 3e-3 nat was measured on likely tokens.
            p = np.exp(float(logp[entry["id"]]))
            assert np.exp(entry["logprob"]) == pytest.approx(p, abs=5e-3)


def test_another_tokenizer_is_refused(llama_dir: Path, gpt2_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="'gpt2' is not a plain Llama"):
        export_gguf(gpt2_dir, tmp_path / "a.gguf")
    with pytest.raises(CheckpointError, match="not one printable ASCII character a token"):
        export_gguf(llama_dir, tmp_path / "b.gguf")  # its vocabulary holds a space
    assert not list(tmp_path.iterdir())
