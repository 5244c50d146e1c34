from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.reporting.summary import model_spend, model_summary, model_tokens, run_totals, spend_words
from harness.reporting.wording import (
    beyond_sentence,
    delay_words,
    failure_sentence,
    lost_sentence,
    mass_sentence,
    transition_sentence,
    verdict_sentence,
)
from harness.types import AnalysisOptions, Changepoint, CurveResult, Delay, Transition, Verdict
from tests.reporting.examples import (
    OPTIONS,
    curve_result,
    located,
    logistic,
    model_info,
    run_of,
    sharp_at,
    transition,
)
from tests.reporting.kinds import all_kinds

LEVEL = np.arange(129.0)


def some_curve(found: Transition | None = None, **fields: Any) -> CurveResult:
    truth = logistic(LEVEL, 10, 2, 0.5, 0.98)
    return curve_result(
        "c",
        truth,
        found or sharp_at(10.0, 2.0, 0.5, 0.98, LEVEL),
        rng=np.random.default_rng(1),
        level=LEVEL,
        **fields,
    )


def test_a_sharp_verdict_gives_course_place_and_width() -> None:
    assert transition_sentence(sharp_at(10.0, 2.0, 0.5, 0.98, LEVEL), LEVEL) == (
        "sharp: p rises from 0.50 to 0.98, half-way at n = 10.0 [9.0, 11.0], "
        "10-90 % width 2.00 [1.40, 2.80] symbols."
    )


def test_a_falling_curve_falls_from_its_upper_asymptote() -> None:
    t = sharp_at(8.1, 2.0, 0.03, 0.8, LEVEL, direction="decreasing")
    assert "p falls from 0.80 to 0.03" in transition_sentence(t, LEVEL)


def test_a_gradual_verdict_says_what_sharp_would_have_been() -> None:
    text = transition_sentence(sharp_at(60.0, 70.0, 0.5, 0.9, LEVEL), LEVEL)
    assert text.startswith("gradual: ")
    assert text.endswith("width 70 [49, 98] symbols, where sharp would be at most 12.8.")  # 0.10 of 128


def test_on_a_log_axis_the_sharp_limit_is_not_given_in_symbols() -> None:
    t = sharp_at(60.0, 70.0, 0.5, 0.9, LEVEL, options=AnalysisOptions(axis="log2"))
    assert "where sharp" not in transition_sentence(t, LEVEL)


def test_none_says_which_change_was_looked_for() -> None:
    assert transition_sentence(transition("none"), LEVEL, "p(target)") == (
        "none: no change of p(target) of at least 0.1 was found "
        "(posterior probability of no transition 0.97)."
    )


def test_undetermined_gives_all_posteriors() -> None:
    text = transition_sentence(transition("undetermined"), LEVEL)
    assert "(none 0.31, gradual 0.30, sharp 0.35, multiple 0.04)" in text


def test_multiple_lists_every_change_with_its_interval() -> None:
    changes = (Changepoint(4.0, 3.2, 4.9), Changepoint(40.0, 38.0, 43.0))
    assert transition_sentence(transition("multiple", changes=changes), LEVEL) == (
        "multiple: 2 changes, at n = 4.00 [3.20, 4.90] and 40.0 [38.0, 43.0] symbols."
    )


@pytest.mark.parametrize("verdict", ["none", "gradual", "sharp", "multiple", "undetermined"])
def test_a_transition_without_any_number_still_reads(verdict: Verdict) -> None:
    text = transition_sentence(transition(verdict), np.empty(0))
    assert text.startswith(f"{verdict}: ")
    assert "None" not in text
    assert "nan" not in text


@pytest.mark.parametrize(
    ("delay", "text"),
    [
        (None, "n/a"),
        (Delay("bayes", 2.3, 1.1, 3.4, None), "2.3 [1.1, 3.4]"),
        (Delay("bayes", 40.0, None, None, "model"), "≥ 40"),
        (Delay("bayes", None, None, None, "observer"), "none (observer)"),
    ],
)
def test_a_censored_delay_is_a_bound(delay: Delay | None, text: str) -> None:
    assert delay_words(delay) == text


def test_the_sentence_sets_the_model_beside_its_ideal_observer() -> None:
    text = verdict_sentence(located(np.random.default_rng(0), 3, "m", 2.0))
    assert (
        "ideal observer half-way at 4.50 [4.05, 4.95] (sharp); excess delay 2.0 [0.9, 3.3] symbols." in text
    )


def test_a_bound_on_the_delay_is_called_a_bound() -> None:
    text = verdict_sentence(
        some_curve(transition("undetermined"), delay=Delay("bayes", 40.0, None, None, "model"))
    )
    assert "excess delay ≥ 40 symbols, a bound, for the model has no half-way point in range" in text


def test_an_observer_without_a_transition_leaves_no_delay_to_state() -> None:
    text = verdict_sentence(
        some_curve(transition("none"), delay=Delay("bayes", None, None, None, "observer"))
    )
    assert "no excess delay can be stated" in text


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (transition("none"), "no transition survives beyond the unigram (KT) observer"),
        (transition("undetermined"), "is undetermined"),
        (
            sharp_at(11.0, 4.0, 0.0, 0.2, LEVEL),
            "a sharp transition survives beyond the unigram (KT) observer, half-way",
        ),
    ],
)
def test_a_control_says_whether_a_transition_survives(found: Transition, words: str) -> None:
    text = beyond_sentence(some_curve(control="shuffle", baseline="kt", beyond=found))
    assert text is not None
    assert text.startswith("Under shuffle, ")
    assert words in text


def test_what_was_not_asked_is_not_answered() -> None:
    assert beyond_sentence(some_curve(control="shuffle")) is None


def test_failures_are_counted_by_kind_and_by_half() -> None:
    per_level = tuple(int(n > 100) for n in range(129))  # 28 in the longer half (65 levels of 24 + failures)
    text = failure_sentence(some_curve(failures={"timeout": per_level, "refused": (1,) + (0,) * 128}))
    assert text is not None
    assert text.startswith(
        "29 of 3,125 readings (0.9 %) failed and count in neither k nor n: 28 timeout and 1 refused"
    )
    assert "the verdict may owe something to what is missing" in text


def test_no_failure_says_nothing() -> None:
    assert failure_sentence(some_curve(failures={"timeout": (0,) * 129})) is None


def test_low_captured_mass_is_told_with_its_worst_place() -> None:
    mass = np.full(129, 0.999)
    mass[[3, 4]] = [0.5, 0.98]
    text = mass_sentence(some_curve(mass=mass))
    assert text is not None
    assert "less than 0.99 of the probability at 2 of 129 context lengths (lowest 0.50, at n = 3)" in text
    assert mass_sentence(some_curve(mass=np.full(129, 0.99))) is None
    assert mass_sentence(some_curve(mass=np.full(129, np.nan))) is None


def test_a_summary_counts_what_the_curves_say() -> None:
    run = all_kinds()
    text = model_summary(run.models[0], [c for c in run.curves if c.model == run.models[0].name])
    assert text.startswith("8 curves were measured, with 2 controls.")
    assert "Verdicts: 4 sharp, 1 gradual, 1 multiple, 1 none and 1 undetermined." in text
    lags = [1 + k / 3 for k in (2, 3, 5, 8)]  # as simulated
    assert f"median excess delay of 4 curves is {np.median(lags):.1f} symbols, from 1.7 to 3.7" in text
    assert "only bounded from below (≥ 40)" in text
    assert "Of 2 controls, 1 keeps a transition beyond the unigram (KT) observer" in text


def test_a_model_that_changed_in_the_run_is_told() -> None:
    words = model_summary(model_info(served_models=("a", "b")), [])
    assert "a and b answered under this name: the curves mix them." in words


def test_an_unknown_price_is_added_as_unknown() -> None:
    assert (
        spend_words([model_info(cost_usd=1.5), model_info(cost_usd=None)])
        == "$1.50 and the unknown price of 1 model"
    )
    assert spend_words([model_info(cost_usd=None)]) == "price unknown"


def test_unknown_tokens_make_the_total_unknown() -> None:
    run = run_of(models=(model_info(), model_info("b", prompt_tokens=None)))
    assert run_totals(run) == (960, 0, None, 0)


def test_the_options_in_force_are_those_of_the_curve() -> None:
    t = replace(transition("none"), options=replace(OPTIONS, min_change=0.25))
    assert "of at least 0.25" in transition_sentence(t, LEVEL)


def test_context_lengths_without_any_score_are_named_with_the_reason() -> None:
    assert lost_sentence(some_curve()) is None
    text = lost_sentence(some_curve(lost_levels={300: "48 overflow", 400: "48 overflow", 0: "48 uncovered"}))
    assert text == (
        "Nothing could be scored at context length 300, 400 (48 overflow) and 0 (48 uncovered): "
        "not drawn and not analysed."
    )


def test_tokens_and_money_that_are_not_plain_are_told_apart() -> None:
    plain = model_info(prompt_tokens=1000, completion_tokens=60, cost_usd=0.5)
    assert (model_tokens(plain), model_spend(plain)) == ("1,000 in, 60 out", "$0.50")
    other = replace(plain, cached_tokens=700, hidden_tokens=40, doubtful_usd=0.02)
    assert "700 of them read from the provider's prompt cache" in model_tokens(other)
    assert "40 of them spent on reasoning that is not shown" in model_tokens(other)
    assert (
        model_spend(other) == "$0.50, and at most $0.020 more for probing and for attempts without an answer"
    )
