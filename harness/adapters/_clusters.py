"""Failures that come together, as those of a server that has had enough do, told from failures that come alone."""

_BAD, _GOOD = 1.5, 0.25  # one failure in seven calls leaves no weight behind


class Clusters:
    """A running sum that failures raise and answers lower, never below 0 (Page 1954, CUSUM).

    At a threshold of 2.5, two failures with at most two answers between them
    are a cluster; at 4, three. Where one call in twenty fails by chance, two
    come together once in some 140 calls, three once in some 1,000.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._sum = 0.0

    def answered(self) -> None:
        """Take in an answer."""
        if self._sum:
            self._sum = max(0.0, self._sum - _GOOD)

    def failed(self) -> bool:
        """Take in a failure; return whether it completes a cluster, and begin afresh if so."""
        self._sum += _BAD
        complete = self._sum >= self._threshold
        if complete:
            self._sum = 0.0
        return complete
