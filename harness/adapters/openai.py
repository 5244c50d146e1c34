"""OpenAI's own service: `openai/NAME`, with OPENAI_API_KEY and, for another address, OPENAI_BASE_URL.

Completion prompts go to the legacy completions of the models that still answer
there, chat prompts to chat completions, and to the Responses API for models
that say they answer only there. The `openai` package sends them; its retries
are off and its objects are not built, since the policy and the reader here are
the same for every provider.

Azure answers the same way at OPENAI_BASE_URL=https://RESOURCE.openai.azure.com/openai/v1,
where NAME is that of the deployment and the key its own, sent as a bearer token.
"""

import os
from collections.abc import Mapping

from harness.adapters._compatible import CompatibleModel
from harness.adapters._dialect import Dialect
from harness.adapters._model_options import parse_options
from harness.adapters._openai_endpoint import OpenAIEndpoint
from harness.adapters._reading import read_reply
from harness.adapters._retry import RetryPolicy
from harness.errors import MissingKey, SpecError
from harness.types import Failure, Model, Request, Response

_BASE_URL = "https://api.openai.com/v1"


def open_model(
    name: str, *, environ: Mapping[str, str] | None = None, policy: RetryPolicy | None = None
) -> Model:
    """Return the model of this name. Raises MissingKey if OPENAI_API_KEY is not set."""
    environ = os.environ if environ is None else environ
    options = parse_options("openai", name)
    if not options.model:
        raise SpecError(f"model 'openai/{name}' has no name; write openai/NAME, e.g. openai/gpt-4o")
    key = environ.get("OPENAI_API_KEY")
    if not key:
        raise MissingKey(f"environment variable OPENAI_API_KEY is not set: model 'openai/{name}' needs it")
    endpoint = OpenAIEndpoint(environ.get("OPENAI_BASE_URL") or _BASE_URL, key)
    return CompatibleModel(
        f"openai/{name}",
        options.model,
        endpoint,
        client="openai",
        dialect=Dialect(chat_limit="max_completion_tokens", reasoning_effort=options.reasoning_effort),
        strict=True,
        room=options.room,
        policy=policy,
    )


def read(request: Request, raw: bytes) -> Response | Failure:
    """Return what a stored reply says; pure."""
    return read_reply(request, raw)
