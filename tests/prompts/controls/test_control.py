import re

import pytest

from harness.errors import SpecError, UnknownName
from harness.prompts.controls import Expectation, control_names, parse_control

EXPECTED: dict[str, tuple[Expectation, str | None]] = {
    "block_shuffle?width=8": ("gone", "backoff8"),
    "distractor?length=10": ("moved", None),
    "kgram_shuffle?k=3": ("gone", "ngram3"),
    "label_flip?at=20": ("kept", None),
    "matched_random": ("gone", "kt"),
    "permute_symbols": ("kept", None),
    "shuffle": ("gone", "kt"),
    "swap?at=20": ("moved", None),
    "truncate?last=16": ("kept", None),
}


def test_these_are_the_controls() -> None:
    assert control_names() == tuple(text.partition("?")[0] for text in EXPECTED)


@pytest.mark.parametrize("text", EXPECTED)
def test_a_control_says_what_it_expects_and_beyond_which_observer(text: str) -> None:
    control = parse_control(text)
    assert (control.expects, control.baseline) == EXPECTED[text]
    assert control.text == text
    assert control.name == text.partition("?")[0]


def test_options_are_read_as_integers() -> None:
    assert dict(parse_control("kgram_shuffle?k=12").options) == {"k": 12}
    assert not parse_control("shuffle").options


def test_only_truncation_needs_a_sequence_for_each_context_length() -> None:
    assert [c.name for c in map(parse_control, EXPECTED) if not c.nested] == ["truncate"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kgram_shuffle", "'kgram_shuffle' needs k: write it as in 'kgram_shuffle?k=8'"),
        ("kgram_shuffle?", "'' is no option of it (known: k)"),
        ("kgram_shuffle?K=3", "'K' is no option of it (known: k)"),
        ("block_shuffle?widht=8", "'widht' is no option of it; did you mean 'width'? (known: width)"),
        ("kgram_shuffle?k=3&k=4", "'k' is given twice"),
        ("kgram_shuffle?k=1", "k='1' must be an integer from 2 to 999999999"),
        ("kgram_shuffle?k=03", "k='03' must be an integer from 2 to 999999999, without sign or leading"),
        ("kgram_shuffle?k=", "k='' must be an integer"),
        ("kgram_shuffle?k=2.5", "k='2.5' must be an integer"),
        ("swap?at=0", "at='0' must be an integer from 1"),
        ("swap?at=-4", "at='-4' must be an integer from 1"),
        ("swap?at=٣", "must be an integer from 1"),
        ("distractor?length=1000000000", "from 1 to 999999999"),
        ("truncate?last=0", "last='0' must be an integer from 1"),
        ("block_shuffle?width=1", "width='1' must be an integer from 2"),
        ("shuffle?k=3", "shuffle takes no option; write 'shuffle'"),
        ("shuffle?", "shuffle takes no option; write 'shuffle'"),
    ],
)
def test_an_option_that_is_not_as_documented_is_refused(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        parse_control(text)


@pytest.mark.parametrize("text", ["shufle", "shufle?k=3"])
def test_an_unknown_control_is_answered_with_the_nearest(text: str) -> None:
    with pytest.raises(UnknownName, match=r"no control 'shufle'; did you mean 'shuffle'\? \(known: block_"):
        parse_control(text)
