"""Calls sent by the `openai` package, taken back as raw bytes."""

from typing import TYPE_CHECKING

from harness.adapters._endpoint import FILE_TIMEOUT_S, TIMEOUT_S, checked_url, hide
from harness.adapters._per_loop import PerLoop
from harness.adapters._transport import HttpReply, Json, Upload
from harness.types import Failure

if TYPE_CHECKING:
    from httpx2 import Response
    from openai import AsyncOpenAI


class OpenAIEndpoint:
    """OpenAI's service, or another at the same protocol; one client for each event loop that calls."""

    def __init__(self, base_url: str, key: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self.base_url = checked_url(base_url)
        self._key = key
        self._timeout_s = timeout_s
        self._kept = True  # connections are used for several calls
        self._clients = PerLoop(self._new_client, _close_client)

    async def post(self, path: str, body: Json) -> HttpReply | Failure:
        """Send one call, once."""
        return await self._ask("POST", path, body)

    async def get(self, path: str, *, timeout_s: float | None = None) -> HttpReply | Failure:
        """Fetch what the service says of itself, or a file: then give `timeout_s`."""
        return await self._ask("GET", path, None, timeout_s=timeout_s)

    async def upload(self, path: str, upload: Upload) -> HttpReply | Failure:
        """Send a file, once."""
        return await self._ask("POST", path, None, upload=upload, timeout_s=FILE_TIMEOUT_S)

    def distrust(self) -> None:
        """From now on use each connection for one call."""
        if self._kept:
            self._kept = False
            self._clients.retire()

    async def close(self) -> None:
        """Close all connections."""
        await self._clients.close()

    async def _ask(
        self,
        method: str,
        path: str,
        body: Json | None,
        *,
        upload: Upload | None = None,
        timeout_s: float | None = None,
    ) -> HttpReply | Failure:
        import httpx2
        import openai

        client = self._clients.here()
        patience_s = timeout_s or self._timeout_s
        try:
            if method == "GET":
                response = await client.get(path, cast_to=httpx2.Response, options={"timeout": patience_s})
            elif upload is not None:
                response = await client.post(
                    path,
                    body=dict(upload.fields),
                    files={"file": (upload.name, upload.content)},
                    cast_to=httpx2.Response,
                    options={
                        "headers": {"Content-Type": "multipart/form-data"},  # the package adds the boundary
                        "timeout": patience_s,
                    },
                )
            else:
                response = await client.post(path, body=body, cast_to=httpx2.Response)
        except openai.APIStatusError as error:
            return hide(self._key, _reply(error.response))
        except openai.APITimeoutError:
            return Failure("timeout", f"no answer within {patience_s:g} s")
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            sent = not isinstance(cause, httpx2.ConnectError)  # unsent, it cannot have been billed
            return Failure("transport", type(cause).__name__, attempts=int(sent))
        except openai.OpenAIError as error:  # its text is not shown: it may quote headers
            return Failure("malformed", f"the openai package gave up: {type(error).__name__}")
        return hide(self._key, _reply(response))

    def _new_client(self) -> "AsyncOpenAI":
        import httpx2
        import openai

        most = openai.DEFAULT_CONNECTION_LIMITS
        kept = most.max_keepalive_connections if self._kept else 0
        return openai.AsyncOpenAI(
            api_key=self._key,
            base_url=self.base_url,
            max_retries=0,
            timeout=self._timeout_s,
            # A redirect would carry prompts to a place nobody named.
            http_client=openai.DefaultAsyncHttpx2Client(
                follow_redirects=False,
                limits=httpx2.Limits(max_connections=most.max_connections, max_keepalive_connections=kept),
            ),
        )


async def _close_client(client: "AsyncOpenAI") -> None:
    await client.close()


def _reply(response: "Response") -> HttpReply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return HttpReply(response.status_code, headers, response.content)
