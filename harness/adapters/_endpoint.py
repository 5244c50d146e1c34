"""The address that one model's calls go to, and its key, which leaves this file in a header only."""

from dataclasses import replace
from typing import Protocol
from urllib.parse import urlsplit

from harness.adapters._transport import HttpReply, Json, Transport
from harness.errors import SpecError
from harness.types import Failure

_SHORTEST_SECRET = 8  # "none" or "EMPTY" stand for no key; blotting them out would damage replies
TIMEOUT_S = 120.0  # for one attempt; a one-token reply that takes longer is a stuck server


class Endpoint(Protocol):
    """Where calls go. Nothing that comes out of it holds the key, whatever a server echoes."""

    @property
    def base_url(self) -> str:
        """The address, without credentials."""
        ...

    async def post(self, path: str, body: Json) -> HttpReply | Failure:
        """Send one call, once."""
        ...

    async def get(self, path: str) -> HttpReply | Failure:
        """Fetch what a server says of itself."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class HttpEndpoint:
    """An OpenAI-compatible server by its base URL, which usually ends in /v1."""

    def __init__(
        self, base_url: str, key: str | None, *, transport: Transport, timeout_s: float = TIMEOUT_S
    ) -> None:
        self.base_url = checked_url(base_url)
        self._key = key
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._transport = transport
        self._timeout_s = timeout_s

    async def post(self, path: str, body: Json) -> HttpReply | Failure:
        """Send one call, once."""
        url = self.base_url + path
        return hide(self._key, await self._transport.post(url, body, self._headers, self._timeout_s))

    async def get(self, path: str) -> HttpReply | Failure:
        """Fetch what a server says of itself."""
        return hide(
            self._key, await self._transport.get(self.base_url + path, self._headers, self._timeout_s)
        )

    async def close(self) -> None:
        """Release connections."""
        await self._transport.close()

    def at_root(self) -> "HttpEndpoint":
        """Return the same server without /v1, where llama.cpp answers /tokenize and /props."""
        root = self.base_url.removesuffix("/v1")
        return HttpEndpoint(root, self._key, transport=self._transport, timeout_s=self._timeout_s)


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
