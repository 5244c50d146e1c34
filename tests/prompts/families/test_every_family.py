"""What holds for every task family; what each family brings to it stands in `cases/`."""

import hashlib

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.rendering import render
from harness.registry import family_names, load_family
from harness.types import Params, Sequence
from tests.prompts.families.case import cases

every_family = pytest.mark.parametrize("family", cases())
every_case = pytest.mark.parametrize(
    ("family", "params"), [(f, p) for f, c in cases().items() for p in c.params]
)


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def draw(family: str, params: Params, length: int, key: int = 1) -> Sequence:
    return load_family(family).sample(length, philox(key), **params)


def test_every_family_is_covered_here() -> None:
    assert set(cases()) == set(family_names())


@every_case
def test_laws_and_observers_are_distributions(family: str, params: Params) -> None:
    case = cases()[family]
    sequence = draw(family, params, case.length)
    for name, table in {"law": sequence.law, **sequence.observers}.items():
        assert table.shape == (case.length + 1, len(sequence.alphabet))
        assert table.dtype == np.float64
        ended = np.isnan(table).all(axis=1)
        assert not ended.any() or (case.ends and name == "law")
        assert (table[~ended] >= 0).all()
        np.testing.assert_allclose(table[~ended].sum(axis=1), 1, rtol=1e-12)
    assert sequence.symbols.dtype == np.int64
    assert (sequence.law[np.arange(case.length), sequence.target] > 0).all()
    assert sequence.ideal == load_family(family).ideal
    assert {"kt", sequence.ideal} <= set(sequence.observers)


@pytest.mark.parametrize(
    ("family", "params", "short"),
    [(f, p, n) for f, c in cases().items() for p in c.params for n in c.shorter],
)
def test_a_longer_sequence_starts_with_the_shorter(family: str, params: Params, short: int) -> None:
    long, prefix = draw(family, params, cases()[family].length), draw(family, params, short)
    assert long.concept == prefix.concept
    np.testing.assert_array_equal(long.symbols[:short], prefix.symbols)
    np.testing.assert_array_equal(long.law[: short + 1], prefix.law)
    for name, rows in prefix.observers.items():
        np.testing.assert_allclose(long.observers[name][: short + 1], rows, rtol=1e-12)


@every_case
def test_observers_never_look_ahead(family: str, params: Params) -> None:
    sequence = draw(family, params, cases()[family].length)
    m, length = len(sequence.alphabet), len(sequence.symbols)
    for t in (0, 1, 3, length // 2, length - 1):
        other = sequence.symbols.copy()
        other[t:] = (other[t:] + 1) % m
        rows = load_family(family).observe(other, sequence.alphabet, **params)
        for name, table in sequence.observers.items():
            np.testing.assert_allclose(rows[name][: t + 1], table[: t + 1], rtol=1e-12)


@every_case
def test_observers_stay_distributions_on_symbols_that_cannot_come(family: str, params: Params) -> None:
    """A control shuffles the symbols: what was certain becomes impossible."""
    sequence = draw(family, params, cases()[family].length)
    shuffled = philox(9).permutation(sequence.symbols)
    for table in load_family(family).observe(shuffled, sequence.alphabet, **params).values():
        assert (table >= 0).all()
        np.testing.assert_allclose(table.sum(axis=1), 1, rtol=1e-12)


@every_case
def test_the_stream_decides_the_sequence(family: str, params: Params) -> None:
    case = cases()[family]
    first, again = (draw(family, params, case.length).symbols for _ in range(2))
    np.testing.assert_array_equal(first, again)
    drawn = {draw(family, params, case.length, key).symbols.tobytes() for key in range(10)}
    assert (len(drawn) > 1) is (params not in case.certain)


def mean_loss(observer: str, sequences: list[Sequence]) -> float:
    """The mean log-loss per symbol, in nats."""
    p = [s.observers[observer][np.arange(s.target.size), s.target] for s in sequences]
    return -float(np.log(np.concatenate(p)).mean())


@pytest.mark.parametrize(
    ("family", "number"), [(f, i) for f, c in cases().items() for i in range(len(c.priors))]
)
def test_the_ideal_observer_loses_less_than_kt_under_the_prior(family: str, number: int) -> None:
    case = cases()[family]
    prior = case.priors[number]
    keys = range(200 // len(prior))
    sequences = [draw(family, params, case.length, key) for params in prior for key in keys]
    assert mean_loss(load_family(family).ideal, sequences) < mean_loss("kt", sequences)


@pytest.mark.parametrize(
    ("family", "params", "key", "digest"), [(f, *pinned) for f, c in cases().items() for pinned in c.pinned]
)
def test_sequences_are_the_same_for_ever(family: str, params: Params, key: int, digest: str) -> None:
    symbols = draw(family, params, cases()[family].pinned_length, key).symbols
    assert hashlib.sha256(symbols.astype("<i8").tobytes()).hexdigest() == digest


@every_family
def test_every_family_has_pinned_sequences_and_refusals(family: str) -> None:
    case = cases()[family]
    assert case.pinned
    assert case.refused
    assert case.priors


@every_family
def test_the_docstring_shows_a_real_prompt(family: str) -> None:
    case = cases()[family]
    n = case.shown_length
    sequence = draw(family, case.shown, n + 1, key=5)
    prompt = render(sequence, separator=case.separator, template=case.template)
    target = prompt.surfaces[int(sequence.target[n])]
    shown = f"    prompt {prompt.text(n)!r}\n    target {target!r}, {sequence.concept}"
    assert shown in load_family(family).doc


@every_family
def test_a_summary_is_one_sentence(family: str) -> None:
    summary = load_family(family).summary
    assert summary.endswith(".")
    assert len(summary) < 100


@pytest.mark.parametrize(
    ("family", "params", "message"), [(f, *refused) for f, c in cases().items() for refused in c.refused]
)
def test_a_parameter_out_of_range_is_refused(family: str, params: Params, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        draw(family, params, cases()[family].length)
