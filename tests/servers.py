"""Real model servers for tests: llama.cpp's own HTTP server, from the `xllamacpp` wheel, on a loopback port."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SERVE = """
import sys, time
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_ctx = int(sys.argv[2])
params.n_parallel = int(sys.argv[3])
params.kv_unified = True
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.n_threads_http = 16  # a connection that is kept open occupies one
params.hostnames = ["127.0.0.1"]
params.port = 0
params.warmup = False
if sys.argv[4] == "exact":
    # Fused attention and the float16 cache, llama.cpp's defaults, cost up to 6e-3 nat on the bundled model.
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
if sys.argv[5]:
    params.use_jinja = True
    params.chat_template = sys.argv[5]
params.ui = False
params.verbosity = 0
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()  # until the parent closes the pipe
"""


@contextmanager
def llama_cpp_server(
    gguf: Path, *, n_ctx: int, slots: int = 1, exact: bool = False, template: str = ""
) -> Iterator[str]:
    """Serve a GGUF file in a process of its own and yield the base URL, ending in /v1.

    `exact` computes in float32 throughout, without fused attention. `slots` is
    how many completions it computes at a time, which bounds `n`. `template` is
    the chat template (Jinja); without it, and without one in the file, the
    server makes up ChatML. The process ends with the pipe that holds it open,
    so it cannot outlive the tests even if they are killed.
    """
    options = [str(n_ctx), str(slots), "exact" if exact else "fast", template]
    command = [sys.executable, "-c", _SERVE, str(gguf), *options]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address, "the server did not start; it says why on standard error"
        _wait_until_healthy(address)
        yield f"{address}/v1"
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _wait_until_healthy(address: str, patience_s: float = 60.0) -> None:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5) as reply:
                if json.load(reply).get("status") == "ok":
                    return
        except urllib.error.URLError:
            time.sleep(0.05)  # the model is being loaded
    raise AssertionError(f"{address} was not healthy within {patience_s} s")
