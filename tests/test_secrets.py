"""A canary key goes through whole runs of every provider and is in nothing that is stored, shown or logged."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.execute import RunOptions, execute
from harness.model_records import ModelRecord, write_record
from harness.probing import establish
from harness.registry import load_model
from harness.reporting import write_report
from harness.runs import open_run
from harness.spec import SuiteSpec
from harness.store_files import open_store, write_store
from harness.suite_files import parse_suite, suite_digest
from harness.types import Capabilities

CANARY = "sk-canary-7b1c44e09a"
SUITE = """\
name: canary
seed: 1
models: ["{model}"]
tasks:
  - family: bernoulli
    context_lengths: [0, 1, 2, 3]
    sequences: 6
    render: {{form: chat}}
budget: {{prices: {{"{model}": {{input: 1, output: 1}}}}}}
"""
PROVIDERS = {
    "openai/m": ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
    "openai-api/stub/m": ("STUB_API_KEY", "STUB_BASE_URL"),
    "anthropic/m": ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
    "google/m": ("GEMINI_API_KEY", "GOOGLE_BASE_URL"),
    "mistral/m": ("MISTRAL_API_KEY", "MISTRAL_BASE_URL"),
    "together/m": ("TOGETHER_API_KEY", "TOGETHER_BASE_URL"),
    "openrouter/m": ("OPENROUTER_API_KEY", "OPENROUTER_BASE_URL"),
}
SAMPLED = Capabilities(
    prefixes=False, top_logprobs=0, full=False, max_samples=1, seed=False, max_context_tokens=None
)


class Careless(BaseHTTPRequestHandler):
    """A gateway that puts the key it was given into everything it answers, in the shape of every API at once."""

    count = 0
    keys: set[str]

    def do_POST(self) -> None:
        """Answer, refuse, redirect or babble, in turn."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        type(self).keys |= {v.removeprefix("Bearer ") for v in self.headers.values() if CANARY in v}
        kind = type(self).count % 4
        type(self).count += 1
        usage = {"prompt_tokens": 3, "completion_tokens": 1, "input_tokens": 3, "output_tokens": 1}
        answered = {
            "id": CANARY, "model": CANARY, "modelVersion": CANARY, "usage": usage, "role": "assistant",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": f"1{CANARY}"}}],
            "type": "message", "stop_reason": "max_tokens", "content": [{"type": "text", "text": CANARY}],
            "candidates": [{"content": {"parts": [{"text": CANARY}]}, "finishReason": "MAX_TOKENS"}],
        }  # fmt: skip
        error = {"type": "error", "error": {"message": f"seen: {dict(self.headers)}", "type": CANARY}}
        status, body = [(200, answered), (400, error), (302, error), (200, {CANARY: error})][kind]
        self._say(status, json.dumps(body).encode())

    def do_GET(self) -> None:
        """Say what models there are."""
        self._say(200, json.dumps({"data": [{"id": "m", "owned_by": dict(self.headers)}]}).encode())

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("X-Seen", str(self.headers.get("Authorization")))
        if status == 302:
            self.send_header("Location", f"http://localhost:9/{CANARY}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""


@contextmanager
def careless_server() -> Iterator[str]:
    Careless.keys, Careless.count = set(), 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Careless)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def skip_probing(suite: SuiteSpec, model: str, out: Path) -> None:
    """Write down a model that draws, as an earlier run would have."""
    record = ModelRecord(load_model(model).fingerprint, {}, SAMPLED)
    with write_store(out, suite.name, suite_digest(suite)) as store:
        store.set_model(model, write_record(record))


@pytest.mark.parametrize("model", PROVIDERS)
def test_the_key_is_in_no_store_report_log_or_error(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    suite = parse_suite(SUITE.format(model=model), "canary")
    out, shown = tmp_path / "run", []
    with careless_server() as url:
        for variable, value in zip(PROVIDERS[model], (CANARY, url), strict=True):
            monkeypatch.setenv(variable, value)
        skip_probing(suite, model, out)
        outcome = execute(suite, RunOptions(out=out), on_plan=lambda plans: shown.append(repr(plans)))
        try:
            shown.append(repr(_probe(model, suite)))
        except HarnessError as error:
            shown.append(f"{error!r} {error.__cause__!r}")
    assert CANARY in Careless.keys  # it really was sent
    assert outcome.tally.answered > 0 < sum(outcome.tally.failed.values())
    run = open_run(out)
    write_report([run.result], tmp_path / "report", frozenset({"html", "csv"}))
    shown += [repr(outcome), repr(run.result), caplog.text]
    assert CANARY not in "".join(shown)
    for file in filter(Path.is_file, tmp_path.rglob("*")):
        assert CANARY.encode() not in file.read_bytes(), file
    store = open_store(out)
    digests = [row[0] for row in store._db.execute("SELECT digest FROM replies")]
    assert all(CANARY.encode() not in reply.raw for reply in store.replies(digests).values())
    store.close()


def _probe(name: str, suite: SuiteSpec) -> Capabilities:
    import asyncio

    from harness.expansion import expand

    async def probe() -> Capabilities:
        model = load_model(name)
        try:
            return await establish(model, expand(suite), None)
        finally:
            await model.close()

    return asyncio.run(probe())
