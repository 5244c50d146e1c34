import hashlib

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.rendering import render
from harness.registry import family_names, load_family
from harness.types import Params, Sequence

CASES: list[tuple[str, Params]] = [
    ("bernoulli", {}),
    ("bernoulli", {"p": 0.7, "symbols": ("Heads", "Tails")}),
    ("bernoulli", {"p": 0.0}),
    ("markov", {}),
    ("markov", {"order": 0, "symbols": "digits", "alpha": 0.3}),
    ("markov", {"order": 2, "symbols": ("a", "b", "c"), "alpha": 2.5}),
    ("periodic", {}),
    ("periodic", {"period": 1}),
    ("periodic", {"period": 6, "max_period": 6, "prior_random": 0.9}),
    ("periodic", {"period": 8, "symbols": "letters"}),
    ("periodic", {"period": 5, "symbols": "digits", "distinct": False}),
    ("periodic", {"period": 2, "distinct": True}),
]
every_case = pytest.mark.parametrize(("family", "params"), CASES)


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def draw(family: str, params: Params, length: int, key: int = 1) -> Sequence:
    return load_family(family).sample(length, philox(key), **params)


def test_every_family_is_covered_here() -> None:
    assert {family for family, _ in CASES} == set(family_names())


@every_case
def test_laws_and_observers_are_distributions(family: str, params: Params) -> None:
    sequence = draw(family, params, 60)
    for table in (sequence.law, *sequence.observers.values()):
        assert table.shape == (61, len(sequence.alphabet))
        assert table.dtype == np.float64
        assert (table >= 0).all()
        np.testing.assert_allclose(table.sum(axis=1), 1, rtol=1e-12)
    assert sequence.symbols.dtype == np.int64
    assert (sequence.law[np.arange(60), sequence.target] > 0).all()
    assert sequence.ideal == load_family(family).ideal
    assert {"kt", sequence.ideal} <= set(sequence.observers)


@every_case
@pytest.mark.parametrize("short", [0, 1, 2, 37])
def test_a_longer_sequence_starts_with_the_shorter(family: str, params: Params, short: int) -> None:
    long, prefix = draw(family, params, 60), draw(family, params, short)
    assert long.concept == prefix.concept
    np.testing.assert_array_equal(long.symbols[:short], prefix.symbols)
    np.testing.assert_array_equal(long.law[: short + 1], prefix.law)
    for name, rows in prefix.observers.items():
        np.testing.assert_allclose(long.observers[name][: short + 1], rows, rtol=1e-12)


@every_case
def test_observers_never_look_ahead(family: str, params: Params) -> None:
    sequence = draw(family, params, 40)
    m = len(sequence.alphabet)
    for t in (0, 1, 3, 20, 39):
        other = sequence.symbols.copy()
        other[t:] = (other[t:] + 1) % m
        rows = load_family(family).observe(other, sequence.alphabet, **params)
        for name, table in sequence.observers.items():
            np.testing.assert_allclose(rows[name][: t + 1], table[: t + 1], rtol=1e-12)


@every_case
def test_the_stream_decides_the_sequence(family: str, params: Params) -> None:
    np.testing.assert_array_equal(draw(family, params, 50).symbols, draw(family, params, 50).symbols)
    if params != {"p": 0.0}:
        drawn = {draw(family, params, 50, key).symbols.tobytes() for key in range(10)}
        assert len(drawn) > 1


def mean_loss(observer: str, sequences: list[Sequence]) -> float:
    """The mean log-loss per symbol, in nats."""
    p = [s.observers[observer][np.arange(s.target.size), s.target] for s in sequences]
    return -float(np.log(np.concatenate(p)).mean())


@pytest.mark.parametrize(
    ("family", "prior"),
    [
        ("bernoulli", [{}]),
        ("markov", [{}]),
        ("markov", [{"order": 0, "symbols": "digits", "alpha": 2.0}]),
        ("markov", [{"order": 2, "symbols": ("a", "b", "c"), "alpha": 0.3}]),
        ("periodic", [{"period": k, "max_period": 8} for k in range(1, 9)]),
        ("periodic", [{"period": k, "max_period": 8, "symbols": "letters"} for k in range(1, 9)]),
    ],
)
def test_the_ideal_observer_loses_less_than_kt_under_the_prior(family: str, prior: list[Params]) -> None:
    sequences = [draw(family, params, 60, key) for params in prior for key in range(200 // len(prior))]
    assert mean_loss(load_family(family).ideal, sequences) < mean_loss("kt", sequences)


@pytest.mark.parametrize(
    ("family", "params", "key", "digest"),
    [
        ("bernoulli", {}, 1, "c24ea6d815c97772241a9b5e267d567e2db8d2fb0c9b9ff7adeee7da8f2e87f9"),
        ("bernoulli", {"p": 0.7}, 2, "665d581c47a6509e6d9f8bee471aacc4e3c48898b82426e75ce7f4122a7b0362"),
        ("periodic", {"period": 7}, 3, "ac3f4642c9629f5e5fa2ff4b09cc6134d642e63abc0713a4b2a41bb089dd3fc2"),
        (
            "periodic",
            {"period": 8, "symbols": "letters"},
            4,
            "46cabb553b1df0bc63f07bbd4e494b3b9d96ba5656659fde8bb9b0c450c4c3f0",
        ),
        ("markov", {}, 5, "c21ff221f8a6800e342e1240580339ca32705f34515537d45bf4e77d291fa763"),
        (
            "markov",
            {"order": 2, "symbols": "digits"},
            6,
            "308e0a78577eabcb52e992af3edc8e1be5796897ab1c45550d2b14e1a615d0be",
        ),
    ],
)
def test_sequences_are_the_same_for_ever(family: str, params: Params, key: int, digest: str) -> None:
    symbols = draw(family, params, 200, key).symbols
    assert hashlib.sha256(symbols.astype("<i8").tobytes()).hexdigest() == digest


@pytest.mark.parametrize(
    ("family", "params", "separator", "template"),
    [
        ("bernoulli", {}, ", ", "Flips: {sequence}"),
        ("periodic", {"period": 4}, ", ", None),
        ("markov", {}, "", None),
    ],
)
def test_the_docstring_shows_a_real_prompt(
    family: str, params: Params, separator: str, template: str | None
) -> None:
    sequence = draw(family, params, 13, key=5)
    prompt = render(sequence, separator=separator, template=template)
    target = prompt.surfaces[int(sequence.target[12])]
    shown = f"    prompt {prompt.text(12)!r}\n    target {target!r}, {sequence.concept}"
    assert shown in load_family(family).doc


@pytest.mark.parametrize("family", family_names())
def test_a_summary_is_one_sentence(family: str) -> None:
    summary = load_family(family).summary
    assert summary.endswith(".")
    assert len(summary) < 100


@pytest.mark.parametrize(
    ("family", "params", "message"),
    [
        ("bernoulli", {"p": 1.5}, r"p=1\.5 must be in 0\.\.1 or 'uniform'"),
        ("bernoulli", {"p": float("nan")}, "p=nan must be in"),
        ("bernoulli", {"symbols": "letters"}, "symbols='letters' has 16 symbols; a coin has 2"),
        ("bernoulli", {"symbols": "cion"}, "did you mean 'coin'"),
        ("bernoulli", {"symbols": (0, 1)}, "quote what is meant as text"),
        ("markov", {"order": -1}, "order=-1"),
        ("markov", {"order": 4, "symbols": "letters"}, "at most 4096 contexts"),
        ("markov", {"order": 10**9}, "at most 4096 contexts"),
        ("markov", {"alpha": 0.0}, r"alpha=0\.0 must be finite and > 0"),
        ("periodic", {"period": 0}, r"period=0 must be in 1\.\.max_period \(16\)"),
        ("periodic", {"period": 17}, r"period=17 must be in 1\.\.max_period \(16\)"),
        ("periodic", {"period": 9, "symbols": "digits"}, "needs as many different symbols and the set has 8"),
        ("periodic", {"period": 3, "distinct": True}, "the set has 2; set distinct: false"),
        ("periodic", {"prior_random": 1.0}, r"prior_random=1\.0 must be above 0 and below 1"),
        ("periodic", {"perod": 3}, "did you mean 'period'"),
    ],
)
def test_a_parameter_out_of_range_is_refused(family: str, params: Params, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        draw(family, params, 10)
