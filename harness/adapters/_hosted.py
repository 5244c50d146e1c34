"""A service at an address of its own that speaks the OpenAI dialect: what its provider files say as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness.adapters._batch_service import BatchService
from harness.adapters._compatible import CompatibleModel
from harness.adapters._dialect import Dialect
from harness.adapters._endpoint import HttpEndpoint
from harness.adapters._model_options import ModelOptions
from harness.adapters._retry import RetryPolicy
from harness.adapters._transport import Transport
from harness.errors import MissingKey, SpecError


@dataclass(frozen=True, slots=True)
class Hosted:
    """One service: PROVIDER_API_KEY and PROVIDER_BASE_URL are its variables."""

    provider: str
    base_url: str  # unless the environment names another
    example: str  # a model's name
    dialect: Dialect = field(default_factory=Dialect)
    strict: bool = False  # fields that are not its own are refused
    batches: BatchService | None = None  # None for those of OpenAI


def open_hosted(
    service: Hosted, name: str, options: ModelOptions, environ: Mapping[str, str], policy: RetryPolicy | None
) -> CompatibleModel:
    """Return the model of this name. Raises SpecError without a name, MissingKey without the key."""
    if not options.model:
        raise SpecError(
            f"model '{service.provider}/{name}' has no name; "
            f"write {service.provider}/NAME, e.g. {service.provider}/{service.example}"
        )
    prefix = service.provider.upper()
    key = environ.get(f"{prefix}_API_KEY")
    if not key:
        raise MissingKey(
            f"environment variable {prefix}_API_KEY is not set: model '{service.provider}/{name}' needs it"
        )
    url = environ.get(f"{prefix}_BASE_URL") or service.base_url
    return CompatibleModel(
        f"{service.provider}/{name}",
        options.model,
        HttpEndpoint(url, key, transport=Transport()),
        client="aiohttp",
        dialect=replace(service.dialect, reasoning_effort=options.reasoning_effort),
        room=options.room,
        strict=service.strict,
        policy=policy,
        batches=service.batches,
    )
