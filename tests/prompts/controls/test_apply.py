import hashlib
from dataclasses import replace

import numpy as np
import pytest

from harness.errors import SpecError, UnknownName
from harness.prompts.controls import apply_control, parse_control
from harness.prompts.observers import backoff, kt, ngram
from harness.registry import load_family
from harness.types import Params, Sequence
from tests.prompts.controls.controlled import controlled, philox
from tests.prompts.families.case import cases

# sha256 of 200 symbols of `periodic` with period 7, its stream Philox(3), that of the control Philox(4)
PINNED = {
    "block_shuffle?width=8": "454ccbfe019b84ddfc6d1bf68736447b1bc80aaed9de4f05d2962ac6bb135cbe",
    "distractor?length=10": "ba6695aff9bc4548fff02c519297acd02467efeb0e31eebc3b6128447cf19afa",
    "kgram_shuffle?k=3": "8b014b712705ca1939402091da9f59cc005e608131179f4d001e809327540a76",
    "label_flip?at=20": "20dd93e2c030fa7c1c82495135213e8c4f2bd8317b06d2cd07bf9cceabfa2d7c",
    "matched_random": "52245d8e952cb29cd5d79dfe3a27fd254cbfc8ccc50da3ca0a56c5c46b418990",
    "permute_symbols": "0f13da9d8627cf9c0fbf25daa841c1e26ff6c6c4f8aadcb39d559e2fc8e8988b",
    "shuffle": "1a9cebd2dedf1efa085566948d0f9f3582c545e8e6bf1b2f1444a3ea7b2e7314",
    "swap?at=20": "66ead29b85c5c4950851c6a2a5bc3ba3971f150bf7d4c2cff2d64e879fa0d6ea",
    "truncate?last=16": "5d65ba0cc9e280e65da9190b0a0085a880b6ea52e04eb716fa00b1553faedba3",
}
every_control = pytest.mark.parametrize("text", PINNED)


@every_control
@pytest.mark.parametrize("family", cases())
def test_a_control_of_any_family_has_a_law_its_symbols_obey_and_its_baseline(text: str, family: str) -> None:
    case, found = cases()[family], load_family(family)
    params = case.params[0]
    before = found.sample(case.length, philox(5), **params)
    m = len(before.alphabet)
    if text.startswith("label_flip") and m != 2 and "=" not in before.alphabet:
        with pytest.raises(SpecError, match="it needs labels, or two symbols"):
            apply_control(text, before, found, params, philox(6))
        return
    if text == "permute_symbols" and before.before:
        with pytest.raises(SpecError, match="names symbols, which must stay what they are"):
            apply_control(text, before, found, params, philox(6))
        return
    after = apply_control(text, before, found, params, philox(6))
    control = parse_control(text)
    assert after.alphabet == before.alphabet
    assert after.symbols.shape == before.symbols.shape
    assert after.symbols.dtype == np.int64
    assert after.ideal == (control.baseline or before.ideal)
    assert {*before.observers, "kt", after.ideal} == set(after.observers)
    np.testing.assert_array_equal(after.observers["kt"], kt(after.symbols, m))
    assert after.concept.endswith(f", control {text}")
    assert (after.law[np.arange(case.length), after.target] > 0).all()
    for name, table in {"law": after.law, **after.observers}.items():
        assert table.shape == (case.length + 1, m)
        ended = np.asarray(np.isnan(table).all(axis=1))
        assert not ended[:-1].any() or case.ends
        assert not ended.any() or name == "law"
        assert (table[~ended] >= 0).all()
        np.testing.assert_allclose(table[~ended].sum(axis=1), 1, rtol=1e-12)


@every_control
@pytest.mark.parametrize("length", [0, 1, 2, 3, 7, 20, 21])
def test_a_control_takes_sequences_of_any_length(text: str, length: int) -> None:
    before, after = controlled(text, length, 5)
    assert after.symbols.shape == (length,)
    for table in (after.law, *after.observers.values()):
        assert table.shape == before.law.shape


@every_control
def test_sequences_too_short_for_a_control_stay_as_they_are_and_longer_ones_do_not(text: str) -> None:
    reach = parse_control(text).reach
    family, params = "bernoulli", {"p": 0.5}
    if reach:
        for key in range(20):
            before, after = controlled(text, reach, key, family, **params)
            np.testing.assert_array_equal(after.symbols, before.symbols)
    longer = [controlled(text, 2 * reach + 9, key, family, **params) for key in range(20)]
    assert any((after.symbols != before.symbols).any() for before, after in longer)


@pytest.mark.parametrize(
    "text", sorted(set(PINNED) - {"permute_symbols", "label_flip?at=20"})
)  # renamed, not asked
def test_observers_of_a_control_never_look_ahead(text: str) -> None:
    before, after = controlled(text, 50, 4, period=3)
    changed = after.symbols.copy()
    changed[-5:] = 1 - changed[-5:]
    start = {"distractor": 10, "swap": 20, "truncate": 33}.get(parse_control(text).name, 0)
    rows = load_family("periodic").observe(changed[start:], before.alphabet, period=3)["period"]
    np.testing.assert_array_equal(after.observers["period"][start:45], rows[: 45 - start])


@pytest.mark.parametrize("text", sorted(set(PINNED) - {"label_flip?at=20"}))  # which draws nothing
def test_the_stream_decides_a_control(text: str) -> None:
    found, params = load_family("bernoulli"), {"symbols": "coin"}
    sequence = found.sample(80, philox(1), **params)
    drawn = [
        apply_control(text, sequence, found, params, philox(k)).symbols.tobytes()
        for k in (8, 8, *range(9, 19))
    ]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1


@every_control
def test_a_controlled_sequence_is_the_same_for_ever(text: str) -> None:
    found = load_family("periodic")
    params: Params = {"period": 7}
    before = found.sample(200, philox(3), **params)
    symbols = apply_control(text, before, found, params, philox(4)).symbols
    assert hashlib.sha256(symbols.astype("<i8").tobytes()).hexdigest() == PINNED[text]


def loss(sequence: Sequence, observer: str) -> float:
    """Log-loss of all symbols, in nats."""
    p = sequence.observers[observer][np.arange(sequence.target.size), sequence.target]
    return -float(np.log(np.maximum(p, 1e-300)).sum())


@pytest.mark.parametrize(("text", "k"), [("shuffle", 1), ("kgram_shuffle?k=2", 2), ("kgram_shuffle?k=5", 5)])
def test_what_a_shuffle_keeps_is_worth_to_its_baseline_what_it_was(text: str, k: int) -> None:
    """A k-gram observer gives all sequences with the same k-grams and beginning one probability."""
    before, after = controlled(text, 200, 3, "markov", order=2, symbols="digits")
    with_baseline = replace(before, observers={"ngram": ngram(before.symbols, 8, k=k)})
    assert loss(after, after.ideal) == pytest.approx(loss(with_baseline, "ngram"), rel=1e-12)


@pytest.mark.parametrize(
    ("family", "params", "text"),
    [
        ("even_process", {}, "kgram_shuffle?k=3"),
        ("parity", {"n_bits": 4}, "kgram_shuffle?k=3"),
        ("periodic", {"period": 9}, "block_shuffle?width=4"),
    ],
)
def test_what_an_ideal_observer_knows_beyond_the_baseline_is_gone(
    family: str, params: Params, text: str
) -> None:
    pairs = [controlled(text, 200, key, family, **params) for key in range(5)]
    k = next(iter(parse_control(text).options.values()))
    m = len(pairs[0][0].alphabet)
    baselines = [replace(b, observers={"local": backoff(b.symbols, m, k=k)}) for b, _ in pairs]
    ideal = pairs[0][0].ideal
    assert sum(loss(b, ideal) for b, _ in pairs) < 0.9 * sum(loss(b, "local") for b in baselines)
    assert sum(loss(a, ideal) for _, a in pairs) > sum(loss(a, a.ideal) for _, a in pairs)


def test_an_unknown_control_is_refused() -> None:
    found = load_family("periodic")
    sequence = found.sample(4, philox(1))
    with pytest.raises(UnknownName, match="no control 'shufle'; did you mean 'shuffle'"):
        apply_control("shufle", sequence, found, {}, philox(2))
