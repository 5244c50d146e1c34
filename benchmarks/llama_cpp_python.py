"""Prompt scoring through a real server: the bundled model behind llama-cpp-python against the local adapter.

llama-cpp-python is the OpenAI-compatible server that honours echo with
log-probabilities, so one request scores every context length. It compiles for
minutes, which is why this is a script and not a test:

    python -m venv ENV && ENV/bin/pip install 'llama-cpp-python[server]'
    .venv/bin/python -m benchmarks.llama_cpp_python --python ENV/bin/python
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks._server_process import free_port, serving
from harness.analysis import transition
from harness.curves import Measured
from harness.local_models.checkpoints import resolve_checkpoint
from harness.local_models.gguf_export import export_gguf
from harness.suite_files import load_suite
from harness.types import SequenceCurve
from tests.agreement import largest_difference, run_both

LOCAL, SERVED = "local/icl-mixture", "openai-api/llama-cpp-python/icl-mixture"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--python", required=True, help="interpreter of the environment with llama-cpp-python"
    )
    parser.add_argument("--sequences", type=int, default=12, help="sequences per condition")
    parser.add_argument(
        "--fast", action="store_true", help="the server's own float16 cache instead of a float32 one"
    )
    arguments = parser.parse_args()
    suite = load_suite("quickstart")
    tasks = [t.model_copy(update={"sequences": arguments.sequences}) for t in suite.tasks]
    suite = suite.model_copy(update={"tasks": tasks, "models": [LOCAL, SERVED]})
    with tempfile.TemporaryDirectory() as folder:
        gguf = bundled_gguf(Path(folder))
        with llama_cpp_python_server(arguments.python, gguf, fast=arguments.fast) as url:
            os.environ["LLAMA_CPP_PYTHON_BASE_URL"] = url
            started = time.perf_counter()
            local, served = run_both(suite, (LOCAL, SERVED), Path(folder) / "run")
            seconds = time.perf_counter() - started
    print_table(local, served)
    print(f"\n{seconds:.0f} s for both models, {arguments.sequences} sequences a condition")


def bundled_gguf(folder: Path) -> Path:
    """Write the bundled checkpoint as a GGUF file and return its path."""
    checkpoint = resolve_checkpoint("icl-mixture").directory
    assert checkpoint is not None
    export_gguf(checkpoint, folder / "model.gguf")
    return folder / "model.gguf"


def print_table(ours: list[Measured], theirs: list[Measured]) -> None:
    """Print one line a condition, and a last one with the largest difference and the verdicts that differ."""
    print("| condition | ways | levels compared | max abs d log p(target), nat | verdicts |")
    print("|---|---|---|---|---|")
    gaps, differing = [], 0
    for first, second in zip(ours, theirs, strict=True):
        both = ~np.isnan(first.raw) & ~np.isnan(second.raw)
        # Echo says nothing of the first token: context length 0 is left out where one of the two lacks it.
        seen = both.any(axis=0)
        curves = [SequenceCurve("c", m.levels[seen], m.p[:, seen], m.ids) for m in (first, second)]
        verdicts = [transition(curve).verdict for curve in curves]
        gaps.append(largest_difference(first, second))
        differing += verdicts[0] != verdicts[1]
        ways = f"{first.way}, {second.way}"
        title = first.item.condition.title
        print(f"| {title} | {ways} | {int(both.sum())} | {gaps[-1]:.2e} | {', '.join(verdicts)} |")
    print(f"| all {len(gaps)} | | | {max(gaps):.2e} | {differing} differ |")


@contextmanager
def llama_cpp_python_server(python: str, gguf: Path, *, fast: bool = False) -> Iterator[str]:
    """Serve a GGUF file and yield the base URL, ending in /v1; 512 tokens of context."""
    port = free_port()
    command = [python, "-m", "llama_cpp.server", "--model", str(gguf), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--n_ctx", "512", "--n_threads", "1"]
    command += ["--logits_all", "true", "--flash_attn", "false"]
    if not fast:
        command += ["--type_k", "0", "--type_v", "0"]  # float32; the default is float16
    url = f"http://127.0.0.1:{port}/v1"
    with serving(command, f"{url}/models"):
        yield url


if __name__ == "__main__":
    main()
