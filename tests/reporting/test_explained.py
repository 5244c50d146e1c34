"""Mixtures of observers and cognitive models in a report: the words are the numbers, in every format."""

import csv
import io
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harness.reporting import FORMATS, write_report
from harness.reporting.explained import explained
from harness.reporting.explained_tables import cognitive_df, mixtures_df
from harness.types import (
    Cognition,
    CognitiveScore,
    FittedParameter,
    LeadSwitch,
    ObserverMixture,
    RunResult,
)
from tests.reporting.examples import NASTY, run_of
from tests.reporting.kinds import all_kinds

SWITCH = LeadSwitch("bayes", "kt", 11.25, 9.5, 13.5, 0.97)
MIXTURE = ObserverMixture(
    observers=("bayes", "kt"),
    context_lengths=(0, 4, 8, 16, 32),
    weights=((0.5, 0.5), (0.9, 0.1), (0.8, 0.2), (0.3, 0.7), (0.125, 0.875)),
    low=((0, 0), (0.8, 0), (0.7, 0.1), (0.2, 0.6), (0.05, 0.75)),
    high=((1, 1), (1, 0.2), (0.9, 0.3), (0.4, 0.8), (0.25, 0.95)),
    determined=((False, False), (True, True), (True, True), (True, True), (True, True)),
    divergence=(0.0, 0.002, 0.031, 0.004, 0.0125),
    alone=((0.0, 0.0), (0.01, 0.2), (0.05, 0.2), (0.2, 0.1), (float("inf"), 0.02)),
    switch=SWITCH,
)
SCORES = (
    CognitiveScore(
        "discounted filter",
        (FittedParameter("gamma", 1.0, None, True), FittedParameter("prior_0", 0.812, 0.035, False)),
        held_out=0.98712,
        held_out_error=0.00193,
        behind=0.0,
        behind_error=0.0,
        bic=5682.04,
        converged=True,
    ),
    CognitiveScore(
        "markov 3",
        tuple(FittedParameter(f"p(0|{i:03b})", 0.5, 0.01, False) for i in range(8)),
        held_out=0.99999,
        held_out_error=0.00001,
        behind=0.01287,
        behind_error=0.00201,
        bic=5600.51,
        converged=False,
    ),
)
FOUND = Cognition("law", 24, MIXTURE, SCORES, 0.98512, 10)


def run_with(*found: Cognition | None) -> RunResult:
    """The first curves of a run, each with what explains it."""
    curves = all_kinds().curves
    return run_of(*(replace(c, cognition=f) for c, f in zip(curves, found, strict=False)))


def test_the_sentences_state_the_numbers() -> None:
    said = explained(FOUND)
    assert said is not None
    lead, near, best = said.sentences
    assert lead == (
        "As a mixture of observers, the bayes observer leads up to n = 11.2 [9.5, 13.5] and the unigram (KT) "
        "observer from there on (in 97 % of the resamples)."
    )
    assert near == (
        "At n = 32 the unigram (KT) observer has weight 0.88 [0.75, 0.95], and the mixture is 0.0125 bits a "
        "symbol from the model (mean KL; observers alone: kt 0.0200 and bayes ∞). The largest distance is "
        "0.0310, at n = 8."
    )
    assert best == (
        "Of 2 cognitive models fitted to the model's next-symbol laws, discounted filter loses least on "
        "sequences it was not fitted to: 0.9871 ± 0.0019 bits a symbol, 0.0129 ± 0.0020 less than markov 3; the "
        "laws' own entropy, which no model can beat, is 0.9851. BIC prefers markov 3."
    )
    assert "green: where the lead passes" in said.note
    assert said.cautions == (
        "The search for the parameters of markov 3 did not converge: its numbers are of where it stopped.",
    )


def test_the_table_ranks_the_models_and_hides_no_error() -> None:
    said = explained(FOUND)
    assert said is not None
    assert said.rows[0] == (
        "discounted filter",
        "gamma 1 (at its bound), prior_0 0.812 ± 0.035",
        "0.9871 ± 0.0019",
        "–",
        "5682.0",
        "2",
    )
    assert said.rows[1][1].endswith("p(0|101) 0.500 ± 0.010, 2 more")
    assert said.rows[1][2] == "1.0000 ± < 0.0001"


def test_without_a_switch_the_leader_is_named_over_the_lengths_that_tell() -> None:
    said = explained(replace(FOUND, mixture=replace(MIXTURE, switch=None), scores=()))
    assert said is not None
    assert said.sentences[0].startswith(
        "As a mixture of observers, the bayes observer has most of the weight (mean 0.53); no place"
    )
    assert len(said.sentences) == 2
    assert "green" not in said.note


def test_drawn_symbols_are_said_to_scatter_and_to_have_no_known_entropy() -> None:
    said = explained(replace(FOUND, fitted_to="draws", entropy=None))
    assert said is not None
    assert "shares of drawn symbols scatter" in said.sentences[1]
    assert "the symbols that the model drew" in said.sentences[2]
    assert "entropy" not in said.sentences[2]


def test_weights_that_nothing_determines_are_not_stated() -> None:
    nowhere = replace(MIXTURE, determined=((False, False),) * 5, switch=None)
    said = explained(replace(FOUND, mixture=nowhere))
    assert said is not None
    assert "no weight is determined" in said.sentences[0]
    assert said.sentences[1].startswith("At n = 32 the weights are not determined")


def test_what_was_asked_and_not_possible_is_a_caution() -> None:
    said = explained(
        Cognition("law", 1, None, (), None, 0, ("no cognitive models: 1 sequence was answered",))
    )
    assert said is not None
    assert said.sentences == ()
    assert said.cautions == ("No cognitive models: 1 sequence was answered.",)
    assert explained(None) is None


def test_the_tables_hold_every_weight_and_parameter() -> None:
    run = run_with(FOUND, None, FOUND)
    weights, models = mixtures_df([run]), cognitive_df([run])
    assert len(weights) == 2 * 5 * 2
    last = weights.iloc[9]
    assert (last["context_length"], last["observer"], last["weight"], last["lead_location"]) == (
        32,
        "kt",
        0.875,
        11.25,
    )
    assert weights["determined"].tolist()[:4] == [False, False, True, True]
    assert models["cognitive_model"].tolist() == ["discounted filter", "markov 3"] * 2
    assert models["bic_rank"].tolist() == [2, 1] * 2
    assert json.loads(models["errors"][0]) == {"gamma": None, "prior_0": 0.035}
    assert len(json.loads(models["parameters"][1])) == 8


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("explained")
    nasty = replace(
        MIXTURE, observers=(NASTY, "kt"), switch=replace(SWITCH, before=NASTY)
    )  # a family of one's own may call its observers anything
    noted = Cognition("draws", 1, None, (), None, 0, (f"no cognitive models: {NASTY}",))
    write_report([run_with(FOUND, replace(FOUND, mixture=nasty), noted)], out, FORMATS)
    return out


def test_the_page_shows_figure_table_and_definitions(written: Path) -> None:
    page = (written / "report.html").read_text(encoding="utf-8")
    assert page.count("<summary>What explains the predictions</summary>") == 3
    assert page.count("KL to mixture (bits)") == 2
    assert "prior_0 0.812 ± 0.035" in page
    assert "<dt>mixture of observers</dt>" in page
    assert "<script>alert" not in page


def test_csv_files_are_written_only_where_a_suite_asks(written: Path, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO((written / "cognitive.csv").read_text(encoding="utf-8"))))
    assert [float(row["held_out"]) for row in rows] == [0.98712, 0.99999] * 2
    assert (written / "mixtures.csv").is_file()
    write_report([run_with(None)], tmp_path, frozenset({"csv", "html"}))
    assert not (tmp_path / "mixtures.csv").exists()
    assert not (tmp_path / "cognitive.csv").exists()
    assert "What explains" not in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
def test_the_pdf_says_what_the_page_says(written: Path) -> None:
    text = subprocess.run(
        ["pdftotext", "-layout", str(written / "report.pdf"), "-"], capture_output=True, text=True, check=True
    ).stdout
    assert text.count("What explains the predictions:") == 3
    assert "1. discounted filter: parameters gamma 1 (at its bound), prior_0 0.812 ± 0.035" in " ".join(
        text.split()
    )


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_latex_compiles_with_the_table_and_the_figure(written: Path) -> None:
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "report.tex"],
        cwd=written / "latex",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    fragment = (written / "latex" / "transitions.tex").read_text(encoding="utf-8")
    assert fragment.count("-mixture}\n\\caption") == 2
    assert fragment.count(r"\begin{table}") == 2


def test_the_same_record_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for out in (first, second):
        write_report([run_with(FOUND)], out, FORMATS)
    for path in sorted(p for p in first.rglob("*") if p.is_file()):
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes(), path.name
