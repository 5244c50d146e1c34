import math

import pytest

from harness.reporting import numbers


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (10.34, 9.13, 11.21, "10.3 [9.1, 11.2]"),  # half-width 1.04: two digits end at the first place
        (123.4, 100.2, 151.9, "123 [100, 152]"),
        (0.5021, 0.4931, 0.5112, "0.502 [0.493, 0.511]"),
        (8.0, 8.0, 8.0, "8.0 [8.0, 8.0]"),  # an observer without spread
        (8.0, None, None, "8.0"),
        (8.0, 7.0, math.inf, "8.0 [7.0, ∞]"),
        (-0.04, -1.1, 1.2, "0.0 [-1.1, 1.2]"),  # never "-0.0"
        (None, None, None, "n/a"),
        (math.nan, 1.0, 2.0, "n/a"),
    ],
)
def test_an_interval_sets_the_digits(value: float, low: float, high: float, text: str) -> None:
    assert numbers.with_interval(value, low, high) == text


@pytest.mark.parametrize(
    ("p", "text"), [(1.0, "> 0.99"), (0.9949, "0.99"), (0.5, "0.50"), (0.004, "< 0.01"), (0.0, "< 0.01")]
)
def test_a_posterior_never_reads_as_certain(p: float, text: str) -> None:
    assert numbers.probability(p) == text


@pytest.mark.parametrize(
    ("usd", "text"),
    [(None, "price unknown"), (0.0, "$0"), (1234.5, "$1,234.50"), (0.0123, "$0.012"), (1e-6, "< $0.0001")],
)
def test_an_unknown_price_is_not_nothing(usd: float | None, text: str) -> None:
    assert numbers.money(usd) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"), [(0, 0, "0 %"), (12, 480, "2.5 %"), (1, 3000, "< 0.1 %"), (30, 60, "50 %")]
)
def test_small_shares_keep_a_digit(part: float, whole: float, text: str) -> None:
    assert numbers.percent(part, whole) == text


def test_lists_read_as_in_a_sentence() -> None:
    assert [numbers.listing(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
