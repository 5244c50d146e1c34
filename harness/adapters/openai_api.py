"""Any OpenAI-compatible server: `openai-api/SERVICE/NAME`, with SERVICE_BASE_URL and SERVICE_API_KEY.

SERVICE is a word of your own choosing; in the names of the variables it is
upper case with dashes as underscores. `openai-api/my-vllm/qwen` reads
MY_VLLM_BASE_URL and MY_VLLM_API_KEY. A server on this machine needs no key.
"""

import os
from collections.abc import Mapping

from harness.adapters._compatible import CompatibleModel
from harness.adapters._dialect import Dialect
from harness.adapters._endpoint import HttpEndpoint
from harness.adapters._model_options import parse_options
from harness.adapters._reading import read_reply
from harness.adapters._retry import RetryPolicy
from harness.adapters._transport import Transport, is_loopback
from harness.errors import MissingKey, SpecError
from harness.types import Failure, Model, Request, Response

_EXAMPLE = "http://127.0.0.1:8080/v1"


def open_model(
    name: str, *, environ: Mapping[str, str] | None = None, policy: RetryPolicy | None = None
) -> Model:
    """Return model `SERVICE/NAME`; NAME is the id the server knows it by and may hold slashes.

    Raises MissingKey where the address, or the key of a remote server, is not
    in the environment.
    """
    environ = os.environ if environ is None else environ
    service, _, rest = name.partition("/")
    options = parse_options(f"openai-api/{service}", rest)
    if not service or not options.model:
        raise SpecError(
            f"model 'openai-api/{name}' must be openai-api/SERVICE/NAME, e.g. openai-api/vllm/my-model "
            f"with VLLM_BASE_URL={_EXAMPLE}"
        )
    prefix = service.upper().replace("-", "_")
    base_url, key = _base_url(environ, prefix, name), environ.get(f"{prefix}_API_KEY") or None
    if key is None and not is_loopback(base_url):
        raise MissingKey(
            f"environment variable {prefix}_API_KEY is not set and model 'openai-api/{name}' is not on this "
            "machine; only loopback addresses need no key"
        )
    endpoint = HttpEndpoint(base_url, key, transport=Transport())
    return CompatibleModel(
        f"openai-api/{name}",
        options.model,
        endpoint,
        client="aiohttp",
        dialect=Dialect(reasoning_effort=options.reasoning_effort),
        room=options.room,
        policy=policy,
    )


def read(request: Request, raw: bytes) -> Response | Failure:
    """Return what a stored reply says; pure."""
    return read_reply(request, raw)


def _base_url(environ: Mapping[str, str], prefix: str, name: str) -> str:
    base_url = environ.get(f"{prefix}_BASE_URL")
    if not base_url:
        raise MissingKey(
            f"environment variable {prefix}_BASE_URL is not set: it is the address of model "
            f"'openai-api/{name}', e.g. export {prefix}_BASE_URL={_EXAMPLE}"
        )
    return base_url
