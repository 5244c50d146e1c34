"""The calls of a probe, counted, with what the replies say of who answers."""

import json
from dataclasses import dataclass, field

from harness.adapters._calls import Calls
from harness.errors import ModelError
from harness.types import Failure, FailureKind, Reply, Request

# What says nothing of the model: to take it for an inability would have a run measured in a dearer way, or not at
# all. A 5xx that lasts is an answer here: servers give it to what they were not made for. So is a 403: OpenAI's
# "You are not allowed to request logprobs from this model".
_CUT_SHORT: frozenset[FailureKind] = frozenset({"rate_limit", "timeout", "transport", "auth"})


@dataclass(slots=True)
class Record:
    """Sends a probe's requests and remembers what they took and which model the replies name."""

    calls: Calls
    name: str  # of the model, in full
    answered: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    models: list[str] = field(default_factory=list)  # each once, in the order they were first named
    fingerprints: list[str] = field(default_factory=list)

    def again(self) -> "Record":
        """Return a record for another probe of the same server, nothing spent yet."""
        return Record(self.calls, self.name, models=[*self.models], fingerprints=[*self.fingerprints])

    async def send(self, request: Request, **changes: object) -> Reply | Failure:
        """Answer one request; `changes` replace fields of its body.

        Raises ModelError where the failure says nothing of what the model can do.
        """
        reply = await self.calls.send(request, **changes)
        if isinstance(reply, Failure):
            self.failed += 1
            if _cut_short(reply):
                raise self.unusable(reply)
            return reply
        self.answered += 1
        self.prompt_tokens += reply.prompt_tokens or 0
        self.completion_tokens += reply.completion_tokens or 0
        if reply.served_model not in self.models:
            self.models.append(reply.served_model)
        fingerprint = _fingerprint(reply.raw)
        if fingerprint and fingerprint not in self.fingerprints:
            self.fingerprints.append(fingerprint)
        return reply

    def unusable(self, failure: Failure, refusal: str = "") -> ModelError:
        """Return the error of a model that cannot be probed; `refusal` is how another form was refused."""
        url, also = self.calls.endpoint.base_url, f"; {refusal}" if refusal else ""
        if self.answered and _cut_short(failure):
            return ModelError(
                f"{self.name}: probing was cut short after {self.answered} answers ({failure.detail}); try again"
            )
        if failure.kind in ("transport", "timeout"):
            return ModelError(
                f"{self.name}: nothing answers at {url} ({failure.detail}); is the server running?"
            )
        if failure.kind == "auth":
            return ModelError(f"{self.name}: {url} refuses the key ({failure.detail})")
        return ModelError(
            f"{self.name}: {url} does not answer for model {self.calls.model!r} ({failure.detail}{also})"
        )

    def served(self) -> str:
        """Return the sentence about who answers."""
        if len(self.models) > 1:
            names = ", ".join(map(repr, self.models))
            return f"the served model is not constant: {names} answered; a run would mix them"
        if self.models == [""]:
            return "the replies name no model"
        changing = f"; its system_fingerprint changes: {', '.join(self.fingerprints)}"
        return f"the served model is {self.models[0]!r}" + (changing if len(self.fingerprints) > 1 else "")

    def spent(self) -> str:
        """Return the sentence about what the probe took."""
        refused = f", {self.failed} of them refused" if self.failed else ""
        return (
            f"the probe took {self.answered + self.failed} calls{refused}, {self.prompt_tokens} prompt "
            f"and {self.completion_tokens} completion tokens"
        )


def _cut_short(failure: Failure) -> bool:
    return failure.kind in _CUT_SHORT and not failure.detail.startswith("HTTP 403")


def _fingerprint(raw: bytes) -> str:
    try:
        value = json.loads(raw).get("system_fingerprint")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return value if isinstance(value, str) else ""
