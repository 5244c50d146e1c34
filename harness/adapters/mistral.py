"""Mistral's service: `mistral/NAME`, with MISTRAL_API_KEY and, for another address, MISTRAL_BASE_URL.

Chats only; fields that are not its own are refused. The seed is called
`random_seed`, and an answer begun for the model is marked `prefix: true`, with
which the service's answer may begin. Source: mistralai 3.7.0,
client/models/chatcompletionrequest.py and assistantmessage.py.
"""

import os
from collections.abc import Mapping

from harness.adapters._batch_service import MISTRAL
from harness.adapters._dialect import Dialect
from harness.adapters._hosted import Hosted, open_hosted
from harness.adapters._model_options import parse_options
from harness.adapters._reading import read_reply
from harness.adapters._retry import RetryPolicy
from harness.types import Failure, Model, Request, Response

_SERVICE = Hosted(
    "mistral",
    "https://api.mistral.ai/v1",
    "mistral-small-latest",
    Dialect(seed_field="random_seed", begun="prefix"),
    strict=True,
    batches=MISTRAL,
)


def open_model(
    name: str, *, environ: Mapping[str, str] | None = None, policy: RetryPolicy | None = None
) -> Model:
    """Return the model of this name. Raises MissingKey if MISTRAL_API_KEY is not set."""
    environ = os.environ if environ is None else environ
    return open_hosted(_SERVICE, name, parse_options("mistral", name), environ, policy)


def read(request: Request, raw: bytes) -> Response | Failure:
    """Return what a stored reply says; pure."""
    return read_reply(request, raw, repeats=True)
