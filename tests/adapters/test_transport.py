"""Connections: whatever goes wrong comes back as a typed failure, on any event loop."""

import asyncio
import shutil
import ssl
import subprocess
import threading
from pathlib import Path

import pytest
from aiohttp import web

from harness.adapters._transport import HttpReply, Transport, is_loopback
from harness.types import Failure
from tests.adapters.stub_server import Fault, Stub, answer, cut_short, never, reset


def post(stub: Stub, *, timeout_s: float = 30.0) -> HttpReply | Failure:
    async def main() -> HttpReply | Failure:
        async with stub:
            transport = Transport()
            try:
                return await transport.post(f"{stub.url}/completions", {"a": 1}, {}, timeout_s)
            finally:
                await transport.close()

    return asyncio.run(main())


def test_a_reply_comes_back_as_bytes_with_lower_case_headers() -> None:
    got = post(Stub(always=answer(418, b"\x00\xff", {"X-Thing": "1"})))
    assert isinstance(got, HttpReply)
    assert (got.status, got.body, got.headers["x-thing"]) == (418, b"\x00\xff", "1")


@pytest.mark.parametrize(
    ("fault", "kind"), [(reset, "transport"), (cut_short, "transport"), (never, "timeout")]
)
def test_a_call_without_a_whole_answer_is_a_transient_failure(fault: Fault, kind: str) -> None:
    got = post(Stub(always=fault), timeout_s=0.3 if fault is never else 30)
    assert isinstance(got, Failure)
    assert (got.kind, got.transient, got.attempts) == (kind, True, 1)


def test_nothing_listening_is_a_transport_failure() -> None:
    async def main() -> HttpReply | Failure:
        async with Stub() as stub:
            url = stub.url
        transport = Transport()
        got = await transport.post(url, {}, {}, 5)
        await transport.close()
        return got

    got = asyncio.run(main())
    assert isinstance(got, Failure)
    assert (got.kind, got.attempts) == ("transport", 0)  # nothing was sent: nothing can have been billed
    assert "Connect" in got.detail


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_refused_and_nothing_is_sent_there(status: int) -> None:
    async def main() -> tuple[HttpReply | Failure, int]:
        async with Stub() as other:
            target = other.url.replace("127.0.0.1", "localhost")
            async with Stub(always=answer(status, b"", {"Location": f"{target}/completions"})) as stub:
                transport = Transport()
                got = await transport.post(
                    f"{stub.url}/completions", {"prompt": "x"}, {"Authorization": "k"}, 5
                )
                await transport.close()
                return got, len(other.log)

    got, calls = asyncio.run(main())
    assert isinstance(got, Failure)
    assert got.kind == "request"
    assert "localhost" in got.detail
    assert calls == 0


def test_a_redirect_within_the_host_is_followed_with_its_body() -> None:
    stub = Stub(faults=[answer(307, b"", {"Location": "/v1/completions/"})], always=answer(200, b"moved"))
    got = post(stub)
    assert isinstance(got, HttpReply)
    assert got.body == b"moved"
    assert [body for _, _, body in stub.log] == [{"a": 1}, {"a": 1}]


def test_a_redirect_in_a_circle_ends() -> None:
    got = post(Stub(always=answer(308, b"", {"Location": "/v1/completions"})))
    assert isinstance(got, Failure)
    assert "more than" in got.detail


def test_one_transport_serves_one_loop_after_another_and_a_loop_in_a_thread() -> None:
    """A command line calls asyncio.run more than once; a notebook runs its own loop in a thread."""
    transport = Transport()

    async def call() -> int:
        # Without this header the loop would end with an open socket, which Python warns of when it is collected.
        async with Stub(always=answer(200, b"", {"Connection": "close"})) as stub:
            got = await transport.get(f"{stub.url}/models", {}, 5)
            assert isinstance(got, HttpReply)
            return got.status

    statuses = [asyncio.run(call()), asyncio.run(call())]
    thread = threading.Thread(target=lambda: statuses.append(asyncio.run(call())))
    thread.start()
    thread.join()
    asyncio.run(transport.close())
    assert statuses == [200, 200, 200]


def test_closing_from_another_loop_closes_the_sessions_of_a_running_one() -> None:
    transport, ready, done = Transport(), threading.Event(), threading.Event()

    async def notebook() -> None:
        async with Stub() as stub:
            await transport.get(f"{stub.url}/models", {}, 5)
            ready.set()
            while not done.is_set():
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=lambda: asyncio.run(notebook()))
    thread.start()
    ready.wait(10)
    asyncio.run(transport.close())
    done.set()
    thread.join()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_certificate_that_cannot_be_verified_is_refused(tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout {key} -out {cert}".split(),
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    seen = []

    async def record(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response()

    async def main() -> HttpReply | Failure:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", record)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        transport = Transport()
        got = await transport.post(f"https://127.0.0.1:{runner.addresses[0][1]}/", {}, {}, 5)
        await transport.close()
        await runner.cleanup()
        return got

    got = asyncio.run(main())
    assert isinstance(got, Failure)
    assert "Certificate" in got.detail
    assert seen == []


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:80/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:8080", True),
        ("https://example.org", False),
        ("http://127.0.0.1.example.org/v1", False),
        ("http://localhost@example.org/v1", False),
    ],
)
def test_loopback_is_told_from_other_addresses(url: str, here: bool) -> None:
    assert is_loopback(url) is here
