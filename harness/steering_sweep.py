"""The stored arrays of one steering sweep, as p(target) over the declared symbols."""

import numpy as np

from harness.types import Bools, Floats, Ints, SequenceCurve
from harness.types.whitebox import Arrays, WhiteBoxStudy

VALID_MASS = 0.95  # of the unsteered captured mass: what captures less leaves the declared symbols


class Sweep:
    """The arrays of one direction at one layer, as p(target) over the declared symbols."""

    def __init__(
        self, arrays: Arrays, study: WhiteBoxStudy, positive: int, *, early: Ints | None = None
    ) -> None:
        trial: Ints = arrays["trial"]
        label, selection = study.label[trial], study.selection[trial]
        self.scale = tuple(float(s) for s in arrays["scale"])
        self.natural: tuple[bool, ...] = tuple(bool(n) for n in arrays["natural"])
        self.chosen_on: Bools = (label == positive) & selection
        self.held: Bools = (label == positive) & ~selection
        self.off: Bools = (label != positive) & ~selection
        self.level = np.array(study.context_lengths, dtype=np.float64)
        self.mass: Floats = arrays["mass"].astype(np.float64)
        self.base_mass: Floats = arrays["base_mass"]
        self.p: Floats = np.clip(arrays["p"].astype(np.float64) / self.mass, 0, 1)
        self.base_p: Floats = np.clip(arrays["base"] / self.base_mass, 0, 1)
        self._early = np.isin(self.level, arrays["before_change"] if early is None else early)
        self._ids = tuple(study.trials[t].sequence for t in trial)

    def gains(self, k: int, rows: Bools, *, early: bool = True) -> Floats:
        """Return the mean change of p(target) of some rows under intervention k: (n_rows,)."""
        columns = self._early if early else np.isfinite(self.level)
        change = self.p[k][np.ix_(rows, columns)] - self.base_p[np.ix_(rows, columns)]
        return np.asarray(np.nanmean(change, axis=1))

    def mass_of(self, k: int, rows: Bools) -> float:
        """Return the mean captured mass under intervention k."""
        return float(np.nanmean(self.mass[k][rows]))

    def base(self, rows: Bools | None = None) -> SequenceCurve:
        """Return the unsteered curve of the held-out sequences, or of others."""
        return self._curve("no steering", self.base_p, self.held if rows is None else rows)

    def curve(self, k: int) -> SequenceCurve:
        """Return the curve of the held-out sequences under intervention k."""
        return self._curve(f"scale {self.scale[k]:+.3g}", self.p[k], self.held)

    def curves(self) -> dict[float, SequenceCurve]:
        """Return every curve by its scale."""
        return {scale: self.curve(k) for k, scale in enumerate(self.scale)}

    def valid(self, k: int, rows: Bools) -> bool:
        """Whether the steered model still speaks of the declared symbols."""
        return self.mass_of(k, rows) >= VALID_MASS * float(np.nanmean(self.base_mass[rows]))

    def _curve(self, name: str, p: Floats, keep: Bools) -> SequenceCurve:
        ids = tuple(sequence for sequence, kept in zip(self._ids, keep, strict=True) if kept)
        seen = ~np.isnan(p[keep]).all(axis=0)  # the empty context has no token in some models
        return SequenceCurve(name, self.level[seen], p[keep][:, seen], ids)
