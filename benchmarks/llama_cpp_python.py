"""Prompt scoring through a real server: the bundled model behind llama-cpp-python against the local adapter.

llama-cpp-python is the OpenAI-compatible server that honours echo with
log-probabilities, so one request scores every context length. It compiles for
minutes, which is why this is a script and not a test:

    python -m venv ENV && ENV/bin/pip install 'llama-cpp-python[server]'
    .venv/bin/python -m benchmarks.llama_cpp_python --python ENV/bin/python
"""

import argparse
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

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
        gguf = Path(folder) / "model.gguf"
        checkpoint = resolve_checkpoint("icl-mixture").directory
        assert checkpoint is not None
        export_gguf(checkpoint, gguf)
        with server(arguments.python, gguf, fast=arguments.fast) as url:
            os.environ["LLAMA_CPP_PYTHON_BASE_URL"] = url
            started = time.perf_counter()
            local, served = run_both(suite, (LOCAL, SERVED), Path(folder) / "run")
            seconds = time.perf_counter() - started
    print_table(local, served)
    print(f"\n{seconds:.0f} s for both models, {arguments.sequences} sequences a condition")


def print_table(local: list[Measured], served: list[Measured]) -> None:
    print(
        "| condition | way | levels compared | max abs d log p(target), nat | verdict local | verdict served |"
    )
    print("|---|---|---|---|---|---|")
    for ours, theirs in zip(local, served, strict=True):
        both = ~np.isnan(ours.raw) & ~np.isnan(theirs.raw)
        seen = both.any(
            axis=0
        )  # echo says nothing of the first token: context length 0 is the local adapter's alone
        curves = [SequenceCurve("c", m.levels[seen], m.p[:, seen], m.ids) for m in (ours, theirs)]
        verdicts = [transition(curve).verdict for curve in curves]
        title = ours.item.condition.title
        gap = largest_difference(ours, theirs)
        print(f"| {title} | {theirs.way} | {int(both.sum())} | {gap:.2e} | {verdicts[0]} | {verdicts[1]} |")


@contextmanager
def server(python: str, gguf: Path, *, fast: bool) -> Iterator[str]:
    """Serve the model on a free loopback port; n_ctx is well above length + 1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        python,
        "-m",
        "llama_cpp.server",
        "--model",
        str(gguf),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    command += [
        "--n_ctx",
        "512",
        "--logits_all",
        "true",
        "--n_threads",
        "1",
        "--flash_attn",
        "false",
    ]
    if not fast:
        command += ["--type_k", "0", "--type_v", "0"]  # float32; the default is float16
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/v1"
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/models", timeout=5).close()
                break
            except urllib.error.URLError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
