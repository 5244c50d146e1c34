"""What a run has spent, what its calls in flight may cost, and the cap on both together."""

from collections.abc import Sequence

from harness.store import Store

_CRASHED = "in flight when the process died"
_MARGIN = 1.25  # of the mark above what is reserved, so that it is written a few times and not for every call


class Ledger:
    """Reserves before a call and settles after it, so that calls in flight can never overshoot the cap.

    What is in flight when a process is killed may have been billed without a
    trace. A mark in the store, at least as large as what is reserved and moved
    rarely, stands for it: found again at the next start, it counts as spent.
    """

    def __init__(self, store: Store, models: Sequence[str], cap_usd: float | None) -> None:
        self._store = store
        self._cap_usd = cap_usd
        self._reserved_usd = dict.fromkeys(models, 0.0)
        self._marks: dict[str, float] = {}
        for model in models:
            crashed = float(store.get_meta(_key(model)) or 0)
            if crashed:
                store.add_doubt(model, crashed, _CRASHED)
                store.set_meta(_key(model), "0")
        # What open batches may cost stays set aside until they are collected.
        self._pending_usd = sum(batch.bound_usd for batch in store.batches())
        self._spent_usd = sum(store.spent_usd(model) for model in models)

    @property
    def spent_usd(self) -> float:
        """Money spent, attempts that may have been billed included; open batches are reserved, not spent."""
        return self._spent_usd

    def reserve(self, model: str, bound_usd: float) -> bool:
        """Set aside the most that a call can cost; False if the cap would not allow it."""
        if not bound_usd:
            return True
        if not self._fits(bound_usd):
            return False
        self._reserved_usd[model] += bound_usd
        if self._reserved_usd[model] > self._marks.get(model, 0.0):
            self._marks[model] = _MARGIN * self._reserved_usd[model]
            self._store.set_meta(_key(model), repr(self._marks[model]))
        return True

    def settle(self, model: str, bound_usd: float, spent_usd: float) -> None:
        """Give back what was set aside for a call and count what it cost."""
        self._reserved_usd[model] -= bound_usd
        self._spent_usd += spent_usd

    def hand_in(self, bound_usd: float) -> bool:
        """Set aside the most that a batch can cost until it is collected; False if the cap would not allow it."""
        if not self._fits(bound_usd):
            return False
        self._pending_usd += bound_usd
        return True

    def collect(self, bound_usd: float, spent_usd: float) -> None:
        """Count what a batch cost instead of what was set aside for it."""
        self._pending_usd -= bound_usd
        self._spent_usd += spent_usd

    def _fits(self, bound_usd: float) -> bool:
        total = self._spent_usd + self._pending_usd + sum(self._reserved_usd.values()) + bound_usd
        return self._cap_usd is None or total <= self._cap_usd

    def close(self) -> None:
        """Take the marks back, but for calls that were broken off and may be billed."""
        for model in self._marks:
            left = self._reserved_usd[model]
            self._store.set_meta(_key(model), repr(left) if left > 1e-12 else "0")
        self._marks.clear()


def _key(model: str) -> str:
    return f"in_flight_usd {model}"
