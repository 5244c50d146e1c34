"""The plan takes the cheapest exact way, and every drawn request has draws of its own."""

import pytest

from harness.expansion import expand
from harness.plan import Item, choose_way, make_item, pieces
from harness.types import Capabilities, Way
from tests.synthetic import small_suite


def able(*, prefixes: bool = False, top: int = 0, full: bool = False, samples: int = 4) -> Capabilities:
    return Capabilities(prefixes, top, full, samples, seed=True, max_context_tokens=None)


@pytest.mark.parametrize(
    ("capabilities", "way"),
    [
        (able(prefixes=True, full=True), "prefixes"),
        (able(prefixes=True, top=5), "prefixes"),
        (able(prefixes=True), "samples"),
        (able(top=5), "next_token"),
        (able(full=True), "next_token"),
        (able(), "samples"),
    ],
)
def test_the_cheapest_exact_way_is_taken(capabilities: Capabilities, way: Way) -> None:
    assert choose_way(capabilities) == way


def test_no_two_draws_share_a_seed_within_or_across_conditions() -> None:
    items = [make_item(c, able()) for c in expand(small_suite(sequences="sequences: 6\n    samples: 10"))]
    asked = [p.request for item in items for r in range(6) for p in pieces(item, r, 4)]
    assert [r.n for r in asked[:3]] == [4, 4, 2]
    assert len({r.seed for r in asked}) == len(asked) == 4 * 6 * 4 * 3
    again = [p.request for r in range(6) for p in pieces(Item(items[0].condition, "samples", 0), r, 4)]
    assert again == asked[: len(again)]  # the same on every day
