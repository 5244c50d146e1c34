"""How the fault campaign's stub puts a reply on its connection: whole, cut short, piece by piece, or twice."""

import asyncio

from aiohttp import web


async def write_whole(
    request: web.Request, data: bytes, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.StreamResponse:
    """Answer with these bytes, to the last of them."""
    length = {"Content-Length": str(len(data)), "Content-Type": "application/json"}
    response = web.StreamResponse(status=status, headers=length | (headers or {}))
    await response.prepare(request)
    await response.write(data)
    await response.write_eof()
    return response


async def cut_short(request: web.Request, data: bytes) -> web.StreamResponse:
    """Promise the whole body, send half of it, and close."""
    response = web.StreamResponse(headers={"Content-Length": str(len(data))})
    await response.prepare(request)
    await response.write(data[: len(data) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def dribble(request: web.Request, data: bytes, seconds: float) -> web.StreamResponse:
    """Answer in six pieces over so many seconds."""
    response = web.StreamResponse(headers={"Content-Length": str(len(data))})
    await response.prepare(request)
    step = max(1, len(data) // 5)
    for start in range(0, len(data), step):
        await asyncio.sleep(seconds / 6)
        await response.write(data[start : start + step])
    await response.write_eof()
    return response


async def say_again(transport: asyncio.Transport | None, data: bytes, after_s: float) -> None:
    """Send a reply once more on its connection, a moment after it was sent, as a broken proxy does."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    await asyncio.sleep(after_s)
    if transport is not None and not transport.is_closing():
        transport.write(head.encode() + data)
