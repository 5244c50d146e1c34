"""Calls sent by the `openai` package, taken back as raw bytes."""

from typing import TYPE_CHECKING

from harness.adapters._endpoint import TIMEOUT_S, checked_url, hide
from harness.adapters._per_loop import PerLoop
from harness.adapters._transport import HttpReply, Json
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
        self._clients = PerLoop(self._new_client, _close_client)

    async def post(self, path: str, body: Json) -> HttpReply | Failure:
        """Send one call, once."""
        return await self._ask("POST", path, body)

    async def get(self, path: str) -> HttpReply | Failure:
        """Fetch what the service says of itself."""
        return await self._ask("GET", path, None)

    async def close(self) -> None:
        """Close all connections."""
        await self._clients.close()

    async def _ask(self, method: str, path: str, body: Json | None) -> HttpReply | Failure:
        import httpx2
        import openai

        client = self._clients.here()
        try:
            if method == "GET":
                response = await client.get(path, cast_to=httpx2.Response)
            else:
                response = await client.post(path, body=body, cast_to=httpx2.Response)
        except openai.APIStatusError as error:
            return hide(self._key, _reply(error.response))
        except openai.APITimeoutError:
            return Failure("timeout", f"no answer within {self._timeout_s:g} s")
        except openai.APIConnectionError as error:
            return Failure("transport", type(error.__cause__ or error).__name__)
        except openai.OpenAIError as error:  # its text is not shown: it may quote headers
            return Failure("malformed", f"the openai package gave up: {type(error).__name__}")
        return hide(self._key, _reply(response))

    def _new_client(self) -> "AsyncOpenAI":
        import openai

        return openai.AsyncOpenAI(
            api_key=self._key,
            base_url=self.base_url,
            max_retries=0,
            timeout=self._timeout_s,
            # A redirect would carry prompts to a place nobody named.
            http_client=openai.DefaultAsyncHttpx2Client(follow_redirects=False),
        )


async def _close_client(client: "AsyncOpenAI") -> None:
    await client.close()


def _reply(response: "Response") -> HttpReply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return HttpReply(response.status_code, headers, response.content)
