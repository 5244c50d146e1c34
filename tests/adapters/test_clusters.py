"""Clusters: failures that come together are told from as many that come alone."""

import random

import pytest

from harness.adapters._clusters import Clusters


@pytest.mark.parametrize(("threshold", "failures"), [(2.5, 2), (4.0, 3)])
def test_so_many_failures_in_a_row_are_one_cluster(threshold: float, failures: int) -> None:
    clusters = Clusters(threshold)
    assert [clusters.failed() for _ in range(2 * failures)] == ([False] * (failures - 1) + [True]) * 2


def test_six_answers_wipe_a_failure_out() -> None:
    clusters = Clusters(2.5)
    for _ in range(20):
        assert not clusters.failed()
        for _ in range(6):
            clusters.answered()


# The mean number of calls to a false cluster, as the docstring states it; simulated, so within a quarter.
@pytest.mark.parametrize(("threshold", "calls"), [(2.5, 140), (4.0, 1000)])
def test_chance_makes_clusters_as_rarely_as_stated(threshold: float, calls: int) -> None:
    rng, clusters, found = random.Random(1954), Clusters(threshold), 0
    for _ in range(400_000):
        if rng.random() < 0.05:
            found += clusters.failed()
        else:
            clusters.answered()
    assert 400_000 / found == pytest.approx(calls, rel=0.25)
