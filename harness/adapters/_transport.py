"""HTTP POST and GET for model calls: aiohttp behind one small interface; it knows nothing of models.

Chosen by measurement (`benchmarks/transport.py`, 64 in flight): 0.20 ms of CPU
a request, against 0.82 for httpx2, 1.5 for the openai SDK and 6.3 for httpx.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from harness.adapters._per_loop import PerLoop
from harness.types import Failure

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

Json = Mapping[str, object]
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_SAME_METHOD_REDIRECTS = {307, 308}
_MAX_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way to a server, with the fields of the form around it."""

    name: str
    content: bytes
    fields: tuple[tuple[str, str], ...]

    def encoded(self) -> tuple[str, bytes]:
        """Return the content type and the body of the form (RFC 7578)."""
        # Hashed from the content, so that it cannot stand in it, and the same file makes the same bytes.
        boundary = hashlib.sha256(self.content).hexdigest()
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in self.fields
        ]
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{self.name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = b"".join(
            ["".join(parts).encode(), head.encode(), self.content, f"\r\n--{boundary}--\r\n".encode()]
        )
        return f"multipart/form-data; boundary={boundary}", body


class HttpReply(NamedTuple):
    """What a server answered; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Connections that are kept open between calls, one pool for each event loop that calls.

    TLS certificates are verified. A redirect to another host is refused: it
    would carry prompts and keys to a place nobody named.
    """

    def __init__(self) -> None:
        self._kept = True  # connections are used for several calls
        self._sessions = PerLoop(lambda: _new_session(self._kept), _close_session, _abandon_session)

    async def post(
        self, url: str, body: Json, headers: Mapping[str, str], timeout_s: float
    ) -> HttpReply | Failure:
        """Send `body` as JSON and return what came back, whatever its status."""
        data = json.dumps(body, separators=(",", ":")).encode()
        return await self._ask("POST", url, {"Content-Type": "application/json", **headers}, timeout_s, data)

    async def upload(
        self, url: str, upload: Upload, headers: Mapping[str, str], timeout_s: float
    ) -> HttpReply | Failure:
        """Send a file as multipart/form-data and return what came back, whatever its status."""
        kind, data = upload.encoded()
        return await self._ask("POST", url, {"Content-Type": kind, **headers}, timeout_s, data)

    async def get(self, url: str, headers: Mapping[str, str], timeout_s: float) -> HttpReply | Failure:
        """Fetch `url` and return what came back, whatever its status."""
        return await self._ask("GET", url, headers, timeout_s, None)

    def distrust(self) -> None:
        """From now on use each connection once: one of them gave a reply that was another call's.

        What a call gets is then its own, whatever a broken proxy still sends.
        """
        if self._kept:
            self._kept = False
            self._sessions.retire()

    async def close(self) -> None:
        """Close all connections."""
        await self._sessions.close()

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], timeout_s: float, data: bytes | None
    ) -> HttpReply | Failure:
        import aiohttp

        try:
            async with asyncio.timeout(timeout_s):
                return await self._follow(method, url, headers, data)
        except TimeoutError:  # ours, or the operating system's while connecting
            return Failure("timeout", f"no answer within {timeout_s:g} s")
        except aiohttp.ClientConnectorError as error:  # nothing was sent: nobody can have been billed
            return Failure("transport", _reason(error), attempts=0)
        except (aiohttp.ClientError, OSError) as error:
            return Failure("transport", _reason(error))
        except (ValueError, UnicodeError) as error:  # a URL or header that cannot be sent
            return Failure("request", f"the request cannot be sent: {type(error).__name__}")

    async def _follow(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | None
    ) -> HttpReply | Failure:
        for _ in range(_MAX_REDIRECTS):
            async with self._sessions.here().request(
                method, url, data=data, headers=headers, allow_redirects=False, proxy=_proxy(url)
            ) as response:
                if not 300 <= response.status < 400:
                    body = await response.read()
                    return HttpReply(response.status, _lower(response), body)
                target = urljoin(url, response.headers.get("Location", url))
            if response.status not in _SAME_METHOD_REDIRECTS or _origin(target) != _origin(url):
                where = urlsplit(target).netloc.rpartition("@")[2]
                return Failure("request", f"HTTP {response.status} redirects to {where!r}: not followed")
            url = target
        return Failure("request", f"redirected more than {_MAX_REDIRECTS} times")


def is_loopback(url: str) -> bool:
    """Return whether an address stays on this machine."""
    return (urlsplit(url).hostname or "") in _LOOPBACK


def _new_session(kept: bool) -> "ClientSession":
    import aiohttp

    # No limit of its own: how much is in flight is the runner's decision. Replies are read whole and under a
    # deadline, so cookies and a timeout per read would only cost time.
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=not kept),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
    )


async def _close_session(session: "ClientSession") -> None:
    await session.close()


def _abandon_session(session: "ClientSession") -> None:
    session.detach()  # else aiohttp logs an error when the session is collected


def _proxy(url: str) -> str | None:
    """Return the proxy that the environment names for this address; never one for this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in _LOOPBACK or proxy_bypass(host):
        return None
    return getproxies().get(parts.scheme)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _lower(response: "ClientResponse") -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _reason(error: Exception) -> str:
    """Return what went wrong without the text of the error, which may quote headers or a proxy's password."""
    inner = getattr(error, "os_error", error)
    words = getattr(inner, "strerror", None) or ""
    kind = type(error).__name__
    return f"{kind}: {words}" if words else kind
