"""OpenRouter: `openrouter/AUTHOR/NAME`, with OPENROUTER_API_KEY and, for another address, OPENROUTER_BASE_URL.

It passes requests on to one of several providers of a model. Each request says
that only a provider that takes every field may answer, that no other one steps
in, and that a context is never compressed to fit. `?upstream=SLUG` names the
one provider to be asked; which one answered stands behind the served model.
Errors may come with HTTP 200, in the reply or in its choice. Source: OpenRouter's
documentation of provider routing, message transforms and errors.
"""

import os
from collections.abc import Mapping
from dataclasses import replace

from harness.adapters._dialect import Dialect
from harness.adapters._hosted import Hosted, open_hosted
from harness.adapters._model_options import parse_options
from harness.adapters._reading import read_reply
from harness.adapters._retry import RetryPolicy
from harness.types import Failure, Model, Request, Response

_ROUTING = {"require_parameters": True, "allow_fallbacks": False}
_NO_COMPRESSION = [{"id": "context-compression", "enabled": False}]
_SERVICE = Hosted(
    "openrouter",
    "https://openrouter.ai/api/v1",
    "meta-llama/llama-3.3-70b-instruct",
    Dialect(effort_field="reasoning", fixed={"provider": _ROUTING, "plugins": _NO_COMPRESSION}),
    # What it passes on it knows, but every field narrows the choice of providers.
    strict=True,
)


def open_model(
    name: str, *, environ: Mapping[str, str] | None = None, policy: RetryPolicy | None = None
) -> Model:
    """Return the model of this name. Raises MissingKey if OPENROUTER_API_KEY is not set."""
    environ = os.environ if environ is None else environ
    options = parse_options("openrouter", name, others=("upstream",))
    upstream = options.others.get("upstream")
    if upstream is None:
        return open_hosted(_SERVICE, name, options, environ, policy)
    fixed = {**_SERVICE.dialect.fixed, "provider": {**_ROUTING, "only": [upstream]}}
    service = replace(_SERVICE, dialect=replace(_SERVICE.dialect, fixed=fixed))
    return open_hosted(service, name, options, environ, policy)


def read(request: Request, raw: bytes) -> Response | Failure:
    """Return what a stored reply says; pure."""
    return read_reply(request, raw)
