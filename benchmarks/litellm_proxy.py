"""The bundled model behind a LiteLLM proxy in front of two servers, against the local adapter.

The proxy speaks for llama-cpp-python, which scores prompts by echo, and for
llama.cpp's own server, which does not. Both in float32, so that what is left is
what the proxy does. Chat is compared with the same server asked directly: the
local model takes no chat.

    python -m venv ENV && ENV/bin/pip install 'llama-cpp-python[server]'
    python -m venv PROXY && PROXY/bin/pip install 'litellm[proxy]'
    .venv/bin/python -m benchmarks.litellm_proxy --python ENV/bin/python --litellm PROXY/bin/litellm
"""

import argparse
import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks._server_process import free_port, serving
from benchmarks.llama_cpp_python import bundled_gguf, llama_cpp_python_server, print_table
from harness.suite_files import parse_suite
from tests.agreement import run_both
from tests.asking import ask_exactly, ask_for_draws, outside_wilson
from tests.servers import llama_cpp_server

LOCAL = "local/icl-mixture"
SUITE = """\
name: proxied
seed: 5
models: [local/icl-mixture]
tasks:
  - family: periodic
    params: {{period: {{sweep: [2, 3, 5]}}, symbols: letters}}
    context_lengths: {{from: 0, to: 64, step: 2}}
    sequences: {sequences}
    samples: 32
    render: {{form: {form}}}
  - family: bernoulli
    params: {{p: {{sweep: [0.5, 0.9]}}}}
    context_lengths: [0, 1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256]
    sequences: {sequences}
    samples: 32
    render: {{form: {form}}}
"""
ROUTES = {  # the proxy's name of a model -> its word for how the server behind it is spoken to
    "scored": "text-completion-openai/icl",  # llama-cpp-python
    "listed": "text-completion-openai/icl",  # llama.cpp; as openai/icl it answers completions the same
    "chat": "openai/icl",  # llama.cpp; text-completion-openai answers 500 to top_logprobs
}
COMPARISONS = (
    ("completion", LOCAL, "openai-api/litellm/scored"),
    ("completion", LOCAL, "openai-api/litellm/listed"),
    ("chat", "openai-api/direct/icl", "openai-api/litellm/chat"),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--python", required=True, help="interpreter of the environment with llama-cpp-python"
    )
    parser.add_argument("--litellm", help="the litellm command; by default the one beside --python")
    parser.add_argument("--sequences", type=int, default=12, help="sequences per condition")
    arguments = parser.parse_args()
    litellm = arguments.litellm or str(Path(arguments.python).parent / "litellm")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gguf = bundled_gguf(folder)
        with (
            llama_cpp_python_server(arguments.python, gguf) as scored,
            llama_cpp_server(gguf, n_ctx=2048, slots=4, exact=True) as listed,
            proxy(litellm, folder, {"scored": scored, "listed": listed, "chat": listed}) as (url, key),
        ):
            os.environ |= {"LITELLM_BASE_URL": url, "LITELLM_API_KEY": key, "DIRECT_BASE_URL": listed}
            for i, (form, first, second) in enumerate(COMPARISONS):
                suite = parse_suite(SUITE.format(sequences=arguments.sequences, form=form), "proxied")
                started = time.perf_counter()
                ours, theirs = run_both(suite, (first, second), folder / f"run{i}")
                print(f"\n{first} and {second}, {form}, {time.perf_counter() - started:.0f} s\n")
                print_table(ours, theirs)
            print_draws(SUITE.format(sequences=1, form="completion"), "openai-api/litellm/listed")


def print_draws(suite: str, served: str) -> None:
    """Print how often the exact probability lies outside the interval of what was drawn through the proxy."""
    drawn, exact = ask_for_draws(served, suite), ask_exactly(LOCAL, suite)
    missed = outside_wilson(exact.p, drawn, confidence=0.95)
    print(f"\n{served}, {drawn.draws.sum()} draws at {drawn.draws.size} context lengths:", end=" ")
    print(f"{missed.sum()} of {missed.size} exact probabilities outside the 95 % Wilson interval")


@contextmanager
def proxy(litellm: str, folder: Path, servers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Serve the routes and yield the base URL, ending in /v1, and the key, made up for this proxy alone.

    It does not start without a master key. Nothing leaves the machine: the
    price table is the package's own and telemetry is off.
    """
    key, port = f"sk-{secrets.token_hex(16)}", free_port()
    models = [
        {
            "model_name": name,
            "litellm_params": {"model": ROUTES[name], "api_base": url, "api_key": "none"},
        }
        for name, url in servers.items()
    ]
    settings = {"telemetry": False, "num_retries": 0, "drop_params": False}
    config = folder / "litellm.yaml"  # JSON is YAML
    config.write_text(json.dumps({"model_list": models, "litellm_settings": settings}), encoding="utf-8")
    command = [litellm, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    environ = {"LITELLM_MASTER_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    with serving(command, f"http://127.0.0.1:{port}/health/liveliness", environ=environ):
        yield f"http://127.0.0.1:{port}/v1", key


if __name__ == "__main__":
    main()
