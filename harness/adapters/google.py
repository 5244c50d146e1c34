"""Models of Google: `google/NAME`, GOOGLE_API_KEY or GEMINI_API_KEY, GOOGLE_BASE_URL.

Log-probabilities are read where a model reports them; else symbols are drawn,
several a request where candidateCount is honoured. Thinking is switched off. A
model that cannot switch it off is allowed 1,024 hidden tokens a draw, or as many
as its name says: `google/NAME?hidden_tokens=4096&reasoning_effort=low`.
"""

import os
from collections.abc import Mapping

from harness.adapters import _google_wire as wire
from harness.adapters._endpoint import HttpEndpoint
from harness.adapters._google_batch import GoogleModel
from harness.adapters._model_options import parse_options
from harness.adapters._reading import read_next
from harness.adapters._retry import RetryPolicy
from harness.adapters._service_wire import read_answers
from harness.adapters._transport import Transport
from harness.errors import MissingKey
from harness.types import Failure, Model, Request, Response

_BASE_URL = "https://generativelanguage.googleapis.com"


def open_model(
    name: str, *, environ: Mapping[str, str] | None = None, policy: RetryPolicy | None = None
) -> Model:
    """Return the model of this name. Raises MissingKey if no key is set.

    Where both are set the first is used, as Google's own package does. The key
    goes into a header and never into the address, where logs would keep it.
    """
    environ = os.environ if environ is None else environ
    options = parse_options("google", name)
    key = environ.get("GOOGLE_API_KEY") or environ.get("GEMINI_API_KEY")
    if not key:
        raise MissingKey(
            f"neither GOOGLE_API_KEY nor GEMINI_API_KEY is set: model 'google/{name}' needs one of them"
        )
    base_url = (environ.get("GOOGLE_BASE_URL") or _BASE_URL).rstrip("/").removesuffix("/v1beta")
    endpoint = HttpEndpoint(base_url, key, transport=Transport(), key_header="x-goog-api-key")
    return GoogleModel(f"google/{name}", options, endpoint, wire, policy=policy)


def read(request: Request, raw: bytes) -> Response | Failure:
    """Return what a stored reply says; pure."""
    if request.way in ("samples", "generation"):
        return read_answers(wire, request, raw)
    found = wire.reported(raw)
    return found if isinstance(found, Failure) else read_next(request, found[0])
