"""Models of Anthropic: `anthropic/NAME`, ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL.

The Messages API reports no log-probabilities, so symbols are drawn, one a
request, at temperature 1 with thinking switched off. A model that cannot switch
it off is allowed 1,024 hidden tokens a draw, or as many as its name says:
`anthropic/NAME?hidden_tokens=4096&reasoning_effort=low`.
"""

import os
from collections.abc import Mapping

from harness.adapters import _anthropic_wire as wire
from harness.adapters._anthropic_batch import AnthropicModel
from harness.adapters._endpoint import HttpEndpoint
from harness.adapters._model_options import parse_options
from harness.adapters._retry import RetryPolicy
from harness.adapters._service_wire import read_answers
from harness.adapters._transport import Transport
from harness.errors import MissingKey
from harness.types import Failure, Model, Request, Response

_BASE_URL = "https://api.anthropic.com"


def open_model(
    name: str, *, environ: Mapping[str, str] | None = None, policy: RetryPolicy | None = None
) -> Model:
    """Return the model of this name. Raises MissingKey if ANTHROPIC_API_KEY is not set."""
    environ = os.environ if environ is None else environ
    options = parse_options("anthropic", name)
    key = environ.get("ANTHROPIC_API_KEY")
    if not key:
        raise MissingKey(
            f"environment variable ANTHROPIC_API_KEY is not set: model 'anthropic/{name}' needs it"
        )
    base_url = (environ.get("ANTHROPIC_BASE_URL") or _BASE_URL).rstrip("/").removesuffix("/v1")
    endpoint = HttpEndpoint(
        base_url,
        key,
        transport=Transport(),
        key_header="x-api-key",
        headers={"anthropic-version": wire.VERSION},
    )
    return AnthropicModel(f"anthropic/{name}", options, endpoint, wire, policy=policy)


def read(request: Request, raw: bytes) -> Response | Failure:
    """Return what a stored reply says; pure."""
    return read_answers(wire, request, raw)
