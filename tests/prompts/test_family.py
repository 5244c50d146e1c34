from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from harness.errors import SpecError
from harness.prompts.family import Family
from harness.prompts.observers import kt
from harness.types import Floats, Ints, Sequence

ALPHABET = ("a", "b")


def observe(symbols: Ints, alphabet: tuple[str, ...]) -> dict[str, Floats]:
    return {"kt": kt(symbols, len(alphabet))}


def sample(length: int, rng: np.random.Generator, *, symbol: int = 0, symbols: str = "pair") -> Sequence:
    del rng, symbols
    drawn = np.full(length, symbol)
    law = np.tile(np.eye(2)[symbol], (length + 1, 1))
    return Sequence(ALPHABET, drawn, law, observe(drawn, ALPHABET), "kt", f"{ALPHABET[symbol]} repeated")


def module(**parts: object) -> ModuleType:
    """A family file as a third party would write it: one symbol for ever."""
    made = ModuleType("constant", "One symbol for ever.\n\nSecond paragraph.")
    made.__dict__.update({"IDEAL": "kt", "sample": sample, "observe": observe} | parts)
    return made


RNG = np.random.Generator(np.random.Philox(key=0))


def test_a_module_is_a_family() -> None:
    family = Family.from_module("constant", module())
    assert (family.name, family.ideal) == ("constant", "kt")
    assert family.summary == "One symbol for ever."
    assert family.doc.endswith("Second paragraph.")
    assert family.defaults == {"symbol": 0, "symbols": "pair"}
    sequence = family.sample(3, RNG, symbol=1)
    assert (sequence.symbols.tolist(), sequence.concept) == ([1, 1, 1], "b repeated")


def test_a_sequence_of_no_symbols_has_one_row() -> None:
    sequence = Family.from_module("constant", module()).sample(0, RNG)
    assert sequence.law.shape == sequence.observers["kt"].shape == (1, 2)


def test_observers_get_only_the_parameters_they_name() -> None:
    def knowing(symbols: Ints, alphabet: tuple[str, ...], *, symbol: int) -> dict[str, Floats]:
        return {"kt": np.tile(np.eye(len(alphabet))[symbol], (symbols.size + 1, 1))}

    family = Family.from_module("constant", module(observe=knowing))
    drawn = np.zeros(2, np.int64)
    assert family.observe(drawn, ALPHABET, symbol=1, symbols="pair")["kt"].tolist() == [[0, 1]] * 3
    assert family.observe(drawn, ALPHABET)["kt"].tolist() == [[1, 0]] * 3  # the default of sample


@pytest.mark.parametrize("name", ["IDEAL", "sample", "observe"])
def test_a_module_that_lacks_a_part_is_refused(name: str) -> None:
    broken = module()
    delattr(broken, name)
    with pytest.raises(SpecError, match=f"module constant does not define {name}"):
        Family.from_module("constant", broken)


def test_an_observer_parameter_that_nothing_sets_is_refused() -> None:
    def observe(symbols: Ints, alphabet: tuple[str, ...], *, secret: int) -> dict[str, Floats]:
        raise NotImplementedError

    with pytest.raises(SpecError, match="observe takes secret, which sample does not"):
        Family.from_module("constant", module(observe=observe))


def test_parameters_are_checked_before_anything_is_drawn() -> None:
    family = Family.from_module("constant", module())
    with pytest.raises(SpecError, match=r"family 'constant': length=-1 must be >= 0"):
        family.sample(-1, RNG)
    with pytest.raises(SpecError, match=r"no parameter 'symbl'; did you mean 'symbol'"):
        family.sample(1, RNG, symbl=1)
    with pytest.raises(SpecError, match="symbol=True must be an integer"):
        family.observe(np.zeros(1, np.int64), ALPHABET, symbol=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"law": np.ones((2, 2))}, r"law \(2, 2\) for length 2; a table must be \(3, 2\)"),
        ({"observers": {"kt": np.ones((3, 1))}}, r"kt \(3, 1\) for length 2"),
        ({"symbols": np.zeros(3, np.int64)}, r"symbols \(3,\) for length 2"),
        ({"ideal": "oracle"}, r"ideal='oracle' is not one of its observers \(kt\)"),
    ],
)
def test_a_sequence_that_is_not_what_it_promises_is_refused(change: dict[str, object], message: str) -> None:
    def wrong(length: int, rng: np.random.Generator, *, symbol: int = 0) -> Sequence:
        return replace(sample(length, rng, symbol=symbol), **change)  # type: ignore[arg-type]

    with pytest.raises(SpecError, match=message):
        Family.from_module("constant", module(sample=wrong)).sample(2, RNG)


def test_a_parameter_that_came_later_is_no_part_of_the_identity_at_its_default() -> None:
    family = Family.from_module("constant", module(ADDED=("symbols",)))
    assert family.identity(family.complete({})) == {"symbol": 0}
    assert family.identity(family.complete({"symbols": "coin"})) == {"symbol": 0, "symbols": "coin"}
    first = Family.from_module("constant", module())
    assert first.identity(first.complete({})) == {"symbol": 0, "symbols": "pair"}


def test_a_family_says_where_its_sequences_hold_answers() -> None:
    assert Family.from_module("constant", module()).answers == ""
    assert Family.from_module("constant", module(ANSWERS="always")).answers == "always"
    wrong = module(sample=lambda length, rng: replace(sample(length, rng), answers=np.zeros(1, np.int64)))
    with pytest.raises(SpecError, match=r"answers \(1,\) for length 3"):
        Family.from_module("constant", wrong).sample(3, RNG)
