"""Quotas: what was told, less what was sent since, until it is whole again."""

import pytest

from harness.adapters._quotas import Quotas
from harness.adapters._rate_headers import Allowance


def told(quotas: Quotas, allowance: Allowance, now: float = 0.0, *, lag: int = 0) -> None:
    """Take in an answer to the call that left `lag` calls ago."""
    quotas.told({"a-header": allowance}, quotas.requests - lag, quotas.tokens, now)


def test_calls_sent_since_are_taken_off() -> None:
    quotas = Quotas()
    for _ in range(5):
        quotas.sent(0)
    told(quotas, Allowance("requests", 10, 4, 30), lag=3)  # 4 were left after the second call
    assert quotas.wait(0.0, 0) == 0  # one still is
    quotas.sent(0)
    assert quotas.wait(0.0, 0) == 30
    assert quotas.wait(29.0, 0) == 1


def test_an_older_answer_tells_nothing_new() -> None:
    quotas = Quotas()
    for _ in range(3):
        quotas.sent(0)
    told(quotas, Allowance("requests", 10, 0, 30))
    told(quotas, Allowance("requests", 10, 2, 30), lag=2)
    assert quotas.wait(0.0, 0) == 30


@pytest.mark.parametrize("kind", ["tokens", "input-tokens"])
def test_tokens_are_compared_with_what_the_call_takes(kind: str) -> None:
    quotas = Quotas()
    told(quotas, Allowance(kind, 1000, 500, 30))
    assert (quotas.wait(0.0, 500), quotas.wait(0.0, 501)) == (0, 30)
    quotas.sent(200)
    assert (quotas.wait(0.0, 300), quotas.wait(0.0, 301)) == (0, 30)


def test_an_answers_tokens_are_not_known_before_so_only_an_empty_store_holds_calls_back() -> None:
    quotas = Quotas()
    quotas.sent(10**6)
    told(quotas, Allowance("output-tokens", 8000, 1, 30))
    quotas.sent(10**6)
    assert quotas.wait(0.0, 10**6) == 0
    told(quotas, Allowance("output-tokens", 8000, 0, 30))
    assert quotas.wait(0.0, 1) == 30


def test_after_the_reset_all_is_there_again_less_what_was_sent_since_it_was_told() -> None:
    quotas = Quotas()
    told(quotas, Allowance("requests", 3, 2, 30))
    quotas.sent(0)
    quotas.sent(0)
    assert quotas.wait(10.0, 0) == 20
    assert quotas.wait(30.0, 0) == 0  # of 3, 2 were sent after it was told: they may count
    quotas.sent(0)
    assert quotas.wait(30.0, 0) == 30
    assert quotas.wait(60.0, 0) == 0


def test_a_limit_nobody_told_is_not_waited_for_twice() -> None:
    quotas = Quotas()
    told(quotas, Allowance("requests", None, 0, 30))
    assert (quotas.wait(0.0, 0), quotas.wait(30.0, 0)) == (30, 0)


def test_without_a_time_of_reset_nothing_is_waited_for() -> None:
    quotas = Quotas()
    told(quotas, Allowance("requests", 125, 0, None))
    assert (quotas.wait(0.0, 0), quotas.limits) == (0, (("requests", 125),))
