"""Suites are read strictly: an error says where, what was found and what is allowed."""

import re
from pathlib import Path

import pytest

from harness.errors import SpecError, UnknownName
from harness.expansion import expand
from harness.registry import suite_names
from harness.suite_files import dump_suite, load_suite, parse_suite, suite_digest

GOOD = """\
name: x
seed: 7
models: [local/icl-mixture]
tasks:
  - family: periodic
    params: {period: {sweep: [2, 3]}, symbols: binary}
    context_lengths: {from: 0, to: 256}
    sequences: 48
    controls: [shuffle]
budget: {max_cost_usd: 5}
"""


def test_a_suite_survives_being_written_and_read() -> None:
    suite = parse_suite(GOOD, "s.yaml")
    assert parse_suite(dump_suite(suite), "again") == suite


def test_every_shipped_suite_is_valid() -> None:
    assert "quickstart" in suite_names()
    for name in suite_names():
        assert load_suite(name).name == name


@pytest.mark.parametrize(
    ("found", "instead", "message"),
    [
        (
            "sequences: 48",
            "sequnces: 48",
            "line 8: tasks[0].sequnces is not a known key; did you mean 'sequences'?",
        ),
        ("sequences: 48", "sequences: many", "line 8: tasks[0].sequences='many'"),
        ("sequences: 48", "sequences: 0", "line 8: tasks[0].sequences=0"),
        ("seed: 7", "sed: 7", "line 2: sed is not a known key; did you mean 'seed'?"),
        ("seed: 7", "seed: 7\nseed: 8", "line 3: key 'seed' is given twice"),
        (
            "{from: 0, to: 256}",
            "{from: 0, too: 9}",
            "line 7: tasks[0].context_lengths.too is not a known key",
        ),
        ("{from: 0, to: 256}", "[1, -2]", "line 7: tasks[0].context_lengths[1]=-2"),
        ("{sweep: [2, 3]}", "{sweeep: [2]}", "did you mean 'sweep'?"),
        ("family: periodic", "family: no", 'quote it, e.g. "no"'),
        ("[shuffle]", "[yes]", "line 9: tasks[0].controls[0]=True: a label is wanted"),
        ("[shuffle]", "[shuffle]\n    render: {symbols: [0, 1]}", 'not a number; quote it, e.g. "0"'),
        ("[shuffle]", "[shuffle, shuffle]", "names one twice"),
        ("[shuffle]", "[shuffle]\n    design: adaptive\n    readout: answer", "answer needs design: grid"),
        ("[shuffle]", "[shuffle]\n    readout: generation", "length, the symbols to be written, belongs to"),
        ("name: x", "name: [x", "not valid YAML"),
        (GOOD, "- a\n- b\n", "a suite is a mapping"),
        (GOOD, "", "a suite is a mapping"),
    ],
)
def test_a_fault_is_named_with_its_place(found: str, instead: str, message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        parse_suite(GOOD.replace(found, instead), "s.yaml")


def test_an_unknown_suite_gets_a_suggestion() -> None:
    with pytest.raises(UnknownName, match="did you mean 'quickstart'"):
        load_suite("quikstart")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SpecError, match=r"nowhere\.yaml: cannot read"):
        load_suite("nowhere.yaml")


@pytest.mark.parametrize(
    ("found", "instead", "same"),
    [
        ("max_cost_usd: 5", "max_cost_usd: 6", True),
        ("local/icl-mixture", "mock/flat", True),
        ("seed: 7", "seed: 8", False),
        ("sequences: 48", "sequences: 49", False),
        ("[2, 3]", "[2, 4]", False),
    ],
)
def test_the_digest_covers_what_decides_the_requests(found: str, instead: str, same: bool) -> None:
    first, second = (suite_digest(parse_suite(text, "s")) for text in (GOOD, GOOD.replace(found, instead)))
    assert (first == second) is same


def test_the_digest_of_a_suite_is_pinned_whatever_suites_can_say_by_now() -> None:
    """Runs of the first version carry it: with another digest they could not go on."""
    assert suite_digest(load_suite("quickstart")).startswith("5d672d9f34bc")
    condition = expand(load_suite("quickstart"))[0]
    assert condition.digest.startswith("f56766f9408c")


def test_a_folder_called_as_a_shipped_suite_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "quickstart").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_suite("quickstart").name == "quickstart"
