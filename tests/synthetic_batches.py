"""A synthetic model with batches, kept by a provider that outlives the process that hands them in."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.types import BatchState, Failure, Reply, Request
from tests.synthetic import SyntheticModel


@dataclass
class Provider:
    """What stands at the provider: batches by id, and how often each request was carried out."""

    ended: bool = True  # whether batches are found ended when asked for
    listed: bool = True  # whether new batches stand in the list already
    result: Callable[[str], Reply | Failure | None] = lambda _: None  # in place of the model's own answer
    silent: int = 0  # batches whose making is not answered
    refuse: Failure | None = None  # batches are refused so
    most: int = 1000  # requests that one file holds
    batches: dict[str, tuple[str, list[tuple[str, Request]]]] = field(default_factory=dict)
    carried: Counter[str] = field(default_factory=Counter)
    results: dict[str, dict[str, Reply | Failure]] = field(default_factory=dict)


class SyntheticBatchModel(SyntheticModel):
    """A `SyntheticModel` that takes batches too."""

    def __init__(
        self, provider: Provider, *, batch_limit: int = 1000, fail: dict[int, Failure] | None = None
    ) -> None:
        super().__init__(fail=fail)
        self.provider = provider
        self.batch_limit = batch_limit
        self.submitted: list[int] = []
        self.crash: Callable[[], None] = lambda: None  # between the making of a batch and its answer

    async def submit(self, requests: Sequence[tuple[str, Request]], nonce: str) -> str | Failure:
        self.submitted.append(len(requests))
        if self.provider.refuse:
            return self.provider.refuse
        if len(requests) > self.provider.most:
            return Failure("overflow", "too many bytes")
        name = f"batch-{len(self.provider.batches)}"
        self.provider.batches[name] = (nonce, list(requests))
        self.crash()
        if self.provider.silent:
            self.provider.silent -= 1
            return Failure("timeout", "no answer", doubtful=1)
        return name

    async def find(self, nonce: str, ids: Sequence[str], since: float) -> str | Failure | None:
        del ids, since
        found = [name for name, (known, _) in self.provider.batches.items() if known == nonce]
        return found[0] if found and self.provider.listed else None

    async def collect(
        self, batch: str, ids: Sequence[str]
    ) -> BatchState | dict[str, Reply | Failure] | Failure:
        requests = self.provider.batches[batch][1]
        if not self.provider.ended:
            return BatchState("in_progress", 0, len(ids))
        if batch not in self.provider.results:
            plain = SyntheticModel()
            outcomes = await plain.send([request for _, request in requests])
            self.provider.carried.update(key for key, _ in requests)
            self.provider.results[batch] = {
                key: self.provider.result(key) or outcome
                for (key, _), outcome in zip(requests, outcomes, strict=True)
            }
        return self.provider.results[batch]
