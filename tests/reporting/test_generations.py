"""Sequences written, in every kind of report: how many came, their statistics, and the ideal generator's."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.reporting import FORMATS, write_report
from harness.reporting.generations import p_words, share_groups, share_note, texts_blocks
from harness.types import GenerationResult, GenerationStatistic, RunResult, ShareCurve
from tests.reporting.examples import NASTY, located, model_info, run_of
from tests.reporting.test_report import Page

NAN = float("nan")
ALTERNATION = GenerationStatistic("alternation rate", 0.61, 0.58, 0.64, 0.5, 0.46, 0.54, 0.0005)
SHARE = GenerationStatistic("share of H", 0.68, 0.62, 0.74, 0.7, 0.66, 0.74, 0.31)
SINGLE = GenerationStatistic("runs", 12.0, NAN, NAN, 11.0, 7.0, 15.0, 0.9)


def texts(given: int = 1, **fields: object) -> GenerationResult:
    made = GenerationResult(
        id=f"bernoulli-{given}",
        title="bernoulli, p 0.7, 50 symbols written",
        model="local/icl-mixture",
        family="bernoulli",
        params={"p": 0.7},
        swept=("p",),
        alphabet=("H", "T"),
        law=np.array([0.7, 0.3]),
        announced=True,
        context_length=given,
        wanted=50,
        asked=6,
        lengths=np.array([50, 50, 50, 12]),
        endings={"length": 3, "unread": 1},
        failures={"filtered": 2},
        shares=np.array([[0.7, 0.3]] * 4),
        statistics=(SHARE, ALTERNATION, SINGLE),
        example_prompt=f"Flips {NASTY}: H,",
        example_text="T, H, " + NASTY,
        unread=("and so on",),
        cost_usd=0.0,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def shares(given: int, note: str = "3 probabilities are too few") -> ShareCurve:
    p = np.array([0.2, 0.5, 0.8])
    return ShareCurve(
        id=f"share-{given}",
        title="share",
        model="local/icl-mixture",
        family="bernoulli",
        symbol="H",
        context_length=given,
        announced=True,
        probability=p,
        mean=p,
        low=p - 0.1,
        high=p + 0.1,
        transition=None,
        note=note,
    )


@pytest.fixture(scope="module")
def run() -> RunResult:
    return run_of(generations=(texts(1), texts(8)), shares=(shares(1), shares(8)))


@pytest.fixture(scope="module")
def written(run: RunResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("written")
    write_report([run], out, FORMATS)
    return out


def test_the_words_say_how_many_came_and_how_they_ended(run: RunResult) -> None:
    first, second = texts_blocks([run])
    assert (first.title, second.title) == (
        "bernoulli, p 0.7, 50 symbols written, 1 given",
        "bernoulli, p 0.7, 50 symbols written, 8 given",
    )
    assert first.words == (
        "Law: H 70 %, T 30 %, which the prompt announces. 4 texts of 6 came: 3 reached the length asked for and 1 "
        "ended where something came that is no symbol; 12 to 50 symbols, on average 40.5. Failed calls: 2 filtered. "
        "No symbol: 'and so on'."
    )
    assert first.rows[1] == ("alternation rate", "0.610 [0.580, 0.640]", "0.500 [0.460, 0.540]", "< 0.001")
    assert first.rows[2][1] == "12.0"  # a single sequence has no interval


@pytest.mark.parametrize(("p", "words"), [(0.0005, "< 0.001"), (0.0371, "0.037"), (1.0, "1"), (NAN, "n/a")])
def test_p_is_written_to_two_digits(p: float, words: str) -> None:
    assert p_words(p) == words


def test_the_page_shows_every_condition_and_stays_well_formed(written: Path, run: RunResult) -> None:
    page = (written / "report.html").read_text(encoding="utf-8")
    parsed = Page(page)
    assert parsed.open == []
    assert len(set(parsed.ids)) == len(parsed.ids)
    assert parsed.tags.count("script") == 1
    assert "alert(1)" not in "".join(re.findall(r"<script>(.*?)</script>", page, flags=re.S))
    assert "Sequences written" in page
    for block in texts_blocks([run]):
        assert f'id="{block.anchor}"' in page
        assert page.count(block.rows[1][1]) == 2
    assert "12 sequences of random draws were asked for under 2 conditions: 8 came, 6 of them whole" in page


def test_curves_that_differ_in_the_symbols_given_share_a_figure(written: Path, run: RunResult) -> None:
    (group,) = share_groups([run])
    assert [curve.context_length for curve in group] == [1, 8]
    assert share_note(group).count("3 probabilities are too few") == 1
    assert (written / "latex/figures/shares-0.pdf").stat().st_size > 1000
    assert r"\includegraphics[width=\linewidth]{figures/shares-0}" in (
        written / "latex/transitions.tex"
    ).read_text(encoding="utf-8")


def test_a_run_with_curves_and_texts_has_both(tmp_path: Path) -> None:
    curve = located(np.random.default_rng(0), 3, "local/icl-mixture", 2.0)
    write_report([run_of(curve, generations=(texts(),))], tmp_path, FORMATS)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Sequences written" in page
    assert "1 curve was measured" in page


def test_a_run_without_texts_says_nothing_of_them(tmp_path: Path) -> None:
    write_report([run_of(models=(model_info(),))], tmp_path, FORMATS)
    assert "Sequences written" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not (tmp_path / "generations.csv").exists()


def test_the_csv_holds_the_numbers_as_they_are(written: Path) -> None:
    table = pd.read_csv(written / "generations.csv")
    assert len(table) == 6
    row = table.iloc[1]
    assert (row["statistic"], row["mean"], row["ideal_high"], row["p"]) == (
        "alternation rate", 0.61, 0.54, 0.0005,
    )  # fmt: skip
    assert (row["asked"], row["read"], row["whole"], row["unread"], row["failed"]) == (6, 4, 3, 1, 2)
    assert (row["law_H"], row["law_T"]) == (0.7, 0.3)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_latex_tables_compile(written: Path, tmp_path: Path) -> None:
    shutil.copytree(written / "latex", tmp_path / "latex")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "report.tex"],
        cwd=tmp_path / "latex",
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path), "TEXMFVAR": str(tmp_path / "t")},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:].decode(errors="replace")
