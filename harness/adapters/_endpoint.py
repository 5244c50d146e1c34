"""The address that one model's calls go to, and its key, which leaves this file in a header only."""

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Protocol
from urllib.parse import urlsplit

from harness.adapters._transport import HttpReply, Json, Transport, Upload
from harness.errors import SpecError
from harness.types import Failure

_SHORTEST_SECRET = 8  # "none" or "EMPTY" stand for no key; blotting them out would damage replies
TIMEOUT_S = 120.0  # for one attempt; a one-token reply that takes longer is a stuck server
FILE_TIMEOUT_S = 600.0  # 200 MB in this time is 3 Mbit/s


class Endpoint(Protocol):
    """Where calls go. Nothing that comes out of it holds the key, whatever a server echoes."""

    @property
    def base_url(self) -> str:
        """The address, without credentials."""
        ...

    async def post(self, path: str, body: Json) -> HttpReply | Failure:
        """Send one call, once."""
        ...

    async def get(self, path: str, *, timeout_s: float | None = None) -> HttpReply | Failure:
        """Fetch what a server says of itself, or a file: then give `timeout_s`."""
        ...

    async def upload(self, path: str, upload: Upload) -> HttpReply | Failure:
        """Send a file, once."""
        ...

    def distrust(self) -> None:
        """From now on use each connection for one call: a reply came that was another call's."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class HttpEndpoint:
    """A server by its base URL, which usually ends in /v1.

    The key goes into `key_header`, as a bearer token where that is Authorization;
    `headers` go with every call.
    """

    def __init__(
        self,
        base_url: str,
        key: str | None,
        *,
        transport: Transport,
        timeout_s: float = TIMEOUT_S,
        key_header: str = "Authorization",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.base_url = checked_url(base_url)
        self._key = key
        shown = f"Bearer {key}" if key_header == "Authorization" else key or ""
        self._headers = {**(headers or {}), **({key_header: shown} if key else {})}
        self._transport = transport
        self._timeout_s = timeout_s

    async def post(self, path: str, body: Json) -> HttpReply | Failure:
        """Send one call, once."""
        url = self.base_url + path
        return hide(self._key, await self._transport.post(url, body, self._headers, self._timeout_s))

    async def get(self, path: str, *, timeout_s: float | None = None) -> HttpReply | Failure:
        """Fetch what a server says of itself, or a file: then give `timeout_s`."""
        url, patience_s = self.base_url + path, timeout_s or self._timeout_s
        return hide(self._key, await self._transport.get(url, self._headers, patience_s))

    async def upload(self, path: str, upload: Upload) -> HttpReply | Failure:
        """Send a file, once."""
        url = self.base_url + path
        return hide(self._key, await self._transport.upload(url, upload, self._headers, FILE_TIMEOUT_S))

    def distrust(self) -> None:
        """From now on use each connection for one call."""
        self._transport.distrust()

    async def close(self) -> None:
        """Release connections."""
        await self._transport.close()

    def at_root(self) -> "HttpEndpoint":
        """Return the same server without /v1, where llama.cpp answers /tokenize and /props."""
        other = copy(self)
        other.base_url = self.base_url.removesuffix("/v1")
        return other


def checked_url(base_url: str) -> str:
    """Return the address without a final slash. Raises SpecError if it is none, or holds credentials."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SpecError(f"base URL {base_url!r} is no http or https address; e.g. http://127.0.0.1:8080/v1")
    if parts.username or parts.password or parts.query:
        # Not shown: what stands there may be a key.
        raise SpecError(
            f"the base URL of {parts.hostname!r} holds a user, password or query; give the address only"
        )
    return base_url.rstrip("/")


def hide(key: str | None, outcome: HttpReply | Failure) -> HttpReply | Failure:
    """Return what came back with the key blotted out: servers quote it in errors, and replies are stored."""
    if not key or len(key) < _SHORTEST_SECRET:
        return outcome
    if isinstance(outcome, Failure):
        return replace(outcome, detail=outcome.detail.replace(key, "***"))
    secret = key.encode()
    return outcome._replace(body=outcome.body.replace(secret, b"***")) if secret in outcome.body else outcome
