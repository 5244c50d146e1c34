"""CPU time of one request through each HTTP client, against a loopback stub: why the adapters use aiohttp.

Run `python benchmarks/transport.py [requests]`. The stub runs in a process of
its own and answers a recorded reply after 20 ms; each client runs in a process
of its own with 64 requests in flight. CPU per request is the difference of a
long and a short run, so that start-up is out of it.
"""

import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import metadata

IN_FLIGHT = 64
LATENCY_S = 0.02
SHORT = 200
BODY = {
    "model": "m",
    "prompt": "0110100110010110" * 12,
    "max_tokens": 1,
    "temperature": 1.0,
    "logprobs": 5,
}
_TOP = [{"token": t, "bytes": [48], "logprob": -1.6 - i / 10} for i, t in enumerate("01abc")]
_CONTENT = [{"token": "0", "bytes": [48], "logprob": -0.7, "top_logprobs": _TOP}]
_CHOICE = {"text": "0", "index": 0, "finish_reason": "length", "logprobs": {"content": _CONTENT}}
_USAGE = {"prompt_tokens": 193, "completion_tokens": 1, "total_tokens": 194}
REPLY = json.dumps(
    {
        "id": "1",
        "object": "text_completion",
        "created": 1,
        "model": "m",
        "choices": [_CHOICE],
        "usage": _USAGE,
    }
).encode()
Post = Callable[[], Awaitable[bytes]]


@asynccontextmanager
async def _aiohttp(url: str) -> AsyncIterator[Post]:
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def post() -> bytes:
            async with session.post(f"{url}/completions", data=json.dumps(BODY).encode()) as reply:
                return await reply.read()

        yield post


@asynccontextmanager
async def _httpx(url: str) -> AsyncIterator[Post]:
    import httpx

    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:

        async def post() -> bytes:
            return (await client.post(f"{url}/completions", json=BODY)).content

        yield post


@asynccontextmanager
async def _httpx2(url: str) -> AsyncIterator[Post]:
    import httpx2

    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(limits=limits, timeout=60) as client:

        async def post() -> bytes:
            return (await client.post(f"{url}/completions", json=BODY)).content

        yield post


@asynccontextmanager
async def _openai_raw(url: str) -> AsyncIterator[Post]:
    import openai

    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

        async def post() -> bytes:
            raw = await client.completions.with_raw_response.create(**BODY)  # type: ignore[call-overload]
            content: bytes = raw.http_response.content
            return content

        yield post


@asynccontextmanager
async def _openai_parsed(url: str) -> AsyncIterator[Post]:
    import openai

    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

        async def post() -> bytes:
            reply = await client.completions.create(**BODY)  # type: ignore[call-overload]
            text: str = reply.choices[0].text
            return text.encode()

        yield post


CLIENTS = {
    "aiohttp": ("aiohttp", _aiohttp),
    "httpx": ("httpx", _httpx),
    "httpx2": ("httpx2", _httpx2),
    "openai, raw response": ("openai", _openai_raw),
    "openai, parsed": ("openai", _openai_parsed),
}


async def _requests(client: str, url: str, total: int) -> None:
    left = iter(range(total))
    async with CLIENTS[client][1](url) as post:

        async def worker() -> None:
            for _ in left:
                assert await post()

        await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))


def _serve() -> None:
    """Answer every POST with the recorded reply and print the address once listening."""
    from aiohttp import web

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(LATENCY_S)
        return web.Response(body=REPLY, content_type="application/json")

    async def main() -> None:
        app = web.Application()
        app.router.add_post("/completions", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await asyncio.Event().wait()

    asyncio.run(main())


def _measure(client: str, url: str, total: int) -> None:
    """Print the CPU and wall seconds of this process for one short and one long run."""
    asyncio.run(_requests(client, url, IN_FLIGHT))  # imports, caches
    seconds = []
    for n in (SHORT, total):
        cpu, wall = time.process_time(), time.perf_counter()
        asyncio.run(_requests(client, url, n))
        seconds += [time.process_time() - cpu, time.perf_counter() - wall]
    print(json.dumps(seconds))


def main(total: int) -> None:
    """Print one table: a row a client."""
    me = [sys.executable, os.path.abspath(__file__)]
    with subprocess.Popen([*me, "--serve"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        print(f"Python {platform.python_version()}, {IN_FLIGHT} in flight, {total} requests, 20 ms latency")
        print(f"{'client':<22}{'version':<12}{'CPU ms/request':>15}{'requests/s':>12}")
        try:
            for name, (package, _) in CLIENTS.items():
                try:
                    version = metadata.version(package)
                except metadata.PackageNotFoundError:
                    print(f"{name:<22}not installed")
                    continue
                command = [*me, "--measure", name, url, str(total)]
                out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                cpu_short, wall_short, cpu, wall = json.loads(out)
                per_request = 1000 * (cpu - cpu_short) / (total - SHORT)
                rate = (total - SHORT) / (wall - wall_short)
                print(f"{name:<22}{version:<12}{per_request:>15.2f}{rate:>12.0f}")
        finally:
            server.terminate()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--serve"]:
            _serve()
        case ["--measure", client, url, total]:
            _measure(client, url, int(total))
        case ["-h" | "--help"]:
            print(__doc__)
        case rest:
            main(int(rest[0]) if rest else 1200)
