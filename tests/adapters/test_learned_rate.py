"""The learned rate: what a known server lets through is found, from above and from below, and forgotten."""

import random

import pytest

from harness.adapters._learned_rate import LearnedRate


def through(rate: LearnedRate, now: float, calls: int, seconds: float) -> float:
    """Send calls evenly over a time, all answered at once; return when it ends."""
    for k in range(calls):
        at = now + k * seconds / calls
        rate.sent(at, alone=False)
        rate.answered(at, at)
    return now + seconds


def test_there_is_no_rate_before_the_first_refusal() -> None:
    rate = LearnedRate()
    now = through(rate, 0.0, 10_000, 1.0)
    assert (rate.per_second(now), rate.wait(now)) == (None, 0.0)


def test_the_rate_is_what_was_let_through_until_the_wait_is_over() -> None:
    rate = LearnedRate()
    now = through(rate, 5.0, 40, 1.0)
    rate.sent(now, alone=False)
    rate.refused(now, anew=True)
    assert rate.wait(now) == 0  # the hold is not this one's matter
    rate.sent(now + 1, alone=True)
    assert rate.per_second(now + 1) == pytest.approx(40 / 2)
    assert rate.wait(now + 1) == pytest.approx(1 / 20)


def test_a_second_refusal_before_an_answer_makes_the_same_wait_longer() -> None:
    rate = LearnedRate()
    now = through(rate, 0.0, 40, 1.0)
    for wait in (1.0, 2.0):
        rate.sent(now, alone=False)
        rate.refused(now, anew=True)
        now += wait
    rate.sent(now, alone=True)
    assert rate.per_second(now) == pytest.approx(40 / 4)


def test_the_rate_grows_until_it_is_forgotten() -> None:
    rate = LearnedRate()
    now = through(rate, 0.0, 10, 1.0)
    rate.sent(now, alone=False)
    rate.refused(now, anew=True)
    now = through(rate, now + 1, 1, 0)
    assert rate.per_second(now + 2) == pytest.approx(2 * 10 / 2)
    rate.sent(now + 21, alone=True)
    assert rate.per_second(now + 21) is None


def test_idle_time_does_not_count() -> None:
    rate = LearnedRate()
    now = through(rate, 0.0, 1, 0) + 3600
    rate.sent(now, alone=True)
    now = through(rate, now, 29, 1.0)
    rate.sent(now, alone=False)
    rate.refused(now, anew=True)
    rate.sent(now + 0.5, alone=True)
    assert rate.per_second(now + 0.5) == pytest.approx(30 / 1.5)


def test_one_call_in_so_many_is_let_through_at_least() -> None:
    rate = LearnedRate()
    rate.sent(0.0, alone=True)
    rate.refused(0.0, anew=True)
    rate.sent(1.0, alone=True)
    assert rate.per_second(1.0) == 1.0


@pytest.mark.parametrize("share", [0.005, 0.02, 0.05])
def test_a_server_that_refuses_at_random_is_found_out(share: float) -> None:
    rng, rate, now, calls = random.Random(20261), LearnedRate(), 0.0, 0
    while not rate.haphazard and calls < 20_000:
        now += max(0.001, rate.wait(now))
        rate.sent(now, alone=True)
        calls += 1
        if rng.random() < share:
            rate.refused(now, anew=True)
            now += 1.0
        else:
            rate.answered(now, now)
    assert rate.haphazard
    assert calls < 30 / share


@pytest.mark.parametrize("burst", [1, 5, 20, 100])
def test_a_server_that_refills_is_not_taken_for_one(burst: float) -> None:
    rate, now, level, refusals, calls, filled = LearnedRate(), 0.0, burst, 0, 0, 0.0
    while calls < 20_000:
        now += max(0.001, rate.wait(now))
        level, filled = min(burst, level + 20 * (now - filled)), now
        rate.sent(now, alone=True)
        calls += 1
        if level < 1:
            refusals += 1
            rate.refused(now, anew=True)
            now += 1.0
        else:
            level -= 1
            rate.answered(now, now)
        assert not rate.haphazard
    assert refusals < 0.03 * calls
    assert (calls - refusals) / now > 20 * (0.75 if burst < 20 else 0.95)
