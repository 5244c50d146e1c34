"""What a provider has said is left of requests and tokens, less what was sent since."""

from dataclasses import dataclass
from math import inf

from harness.adapters._rate_headers import Allowance


@dataclass(slots=True)
class _Quota:
    kind: str
    limit: float | None
    left: float
    sent: int  # in the same unit, and no longer part of what is left
    seen: int  # sent until this was told or renewed
    reset_s: float
    reset_at: float  # seconds of the pace's clock


class Quotas:
    """The newest allowances of one model. All times are seconds of one clock that the caller reads.

    A call is counted when it is sent, by the caller's estimate of its tokens.
    An answer tells what is left after the calls up to its own; an older answer
    that comes late tells nothing new.
    """

    def __init__(self) -> None:
        self.requests = 0  # sent so far
        self.tokens = 0  # sent so far, estimated
        self._newest = 0
        self._quotas: dict[str, _Quota] = {}
        self._limits: dict[str, tuple[str, float]] = {}

    @property
    def limits(self) -> tuple[tuple[str, float], ...]:
        """Return the kinds and sizes of all limits that were told."""
        return tuple(self._limits.values())

    def sent(self, tokens: int) -> None:
        """Count a call."""
        self.requests += 1
        self.tokens += tokens

    def told(self, found: dict[str, Allowance], requests: int, tokens: int, now: float) -> None:
        """Take what an answer says; `requests` and `tokens` were sent when its call had left."""
        if requests < self._newest:
            return
        self._newest = requests
        for name, (kind, limit, left, reset_s) in found.items():
            if limit is not None:
                self._limits[name] = (kind, limit)
            if reset_s is not None:  # else there is nothing to wait for: refusals teach the rate
                sent = {"requests": requests, "output-tokens": 0}.get(kind, tokens)
                self._quotas[name] = _Quota(kind, limit, left, sent, self._sent(kind), reset_s, now + reset_s)

    def wait(self, now: float, tokens: int) -> float:
        """Return the seconds until there is enough for a call of so many tokens, 0 if there is."""
        longest = 0.0
        for quota in self._quotas.values():
            if now >= quota.reset_at:
                self._renew(quota, now)
            need = _need(quota, tokens)
            if quota.left - (self._sent(quota.kind) - quota.sent) < need:
                longest = max(longest, quota.reset_at - now)
        return longest

    def _renew(self, quota: _Quota, now: float) -> None:
        """Take it that all is there again, less what was sent since this quota was told."""
        quota.left = inf if quota.limit is None else quota.limit
        quota.sent, quota.seen = quota.seen, self._sent(quota.kind)
        quota.reset_at = now + quota.reset_s

    def _sent(self, kind: str) -> int:
        if kind == "output-tokens":
            return 0  # what a call will write is not known: only an empty store holds it back
        return self.requests if kind == "requests" else self.tokens


def _need(quota: _Quota, tokens: int) -> float:
    """Return what a call takes; one that is larger than the limit is sent when all of it is there."""
    need = tokens if quota.kind in ("tokens", "input-tokens") else 1
    return need if quota.limit is None else min(need, quota.limit)
