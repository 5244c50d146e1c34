"""Together's service: `together/NAME`, with TOGETHER_API_KEY and, for another address, TOGETHER_BASE_URL.

`logprobs` is a number in completions and chats alike. An echoed prompt comes
beside the choices, in `prompt`. Source: together 3.1.1, types/completion.py and
types/chat.
"""

import os
from collections.abc import Mapping

from harness.adapters._batch_service import TOGETHER
from harness.adapters._dialect import Dialect
from harness.adapters._hosted import Hosted, open_hosted
from harness.adapters._model_options import parse_options
from harness.adapters._reading import read_reply
from harness.adapters._retry import RetryPolicy
from harness.types import Failure, Model, Request, Response

_SERVICE = Hosted(
    "together",
    "https://api.together.xyz/v1",
    "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    Dialect(chat_logprobs="count"),
    batches=TOGETHER,
)


def open_model(
    name: str, *, environ: Mapping[str, str] | None = None, policy: RetryPolicy | None = None
) -> Model:
    """Return the model of this name. Raises MissingKey if TOGETHER_API_KEY is not set."""
    environ = os.environ if environ is None else environ
    return open_hosted(_SERVICE, name, parse_options("together", name), environ, policy)


def read(request: Request, raw: bytes) -> Response | Failure:
    """Return what a stored reply says; pure."""
    return read_reply(request, raw)
