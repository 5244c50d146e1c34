"""How decodability is shown: lags in words that claim no more than they hold, in every format."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from harness.analysis import mean_band, transition
from harness.reporting.decodable import across_sentence, lag_words, shown
from harness.reporting.decodable_table import decodability_df
from harness.reporting.html import html_report
from harness.reporting.latex import latex_report
from harness.reporting.pages import pdf_report
from harness.reporting.tables import csv_report
from harness.types import AnalysisOptions, Delay, RunResult, SequenceCurve
from harness.types.decodability import AcrossModels, Association, Decodability, ProbeReading
from harness.types.whitebox import WhiteBoxResult

OPTIONS = AnalysisOptions(sharp_width=0.2, min_change=0.15)
LEVEL = np.array([2.0, 4, 8, 16, 32, 64])


def lag(value: float | None, low: float | None, high: float | None, censored: str | None = None) -> Delay:
    return Delay("knn", value, low, high, censored, 20.0, 10.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (lag(5.0, 2.0, 8.0), "behaviour comes later than decodability, by 5.0 [2.0, 8.0] symbols"),
        (lag(-5.0, -8.0, -2.0), "behaviour comes earlier than decodability"),
        (lag(5.0, -2.0, 9.0), "which comes first is not decided"),
        (lag(5.0, None, None), "too few sequences for an interval"),
        (lag(40.0, None, None, "model"), "comes at least 40 symbols after"),
        (lag(None, None, None, "observer"), "none can be stated"),
        (None, "not known"),
    ],
)
def test_a_lag_in_words_claims_no_more_than_its_interval(found: Delay | None, words: str) -> None:
    assert words in lag_words(found)


def curve(half: float, seed: int) -> SequenceCurve:
    rng = np.random.default_rng(seed)
    p = 0.5 + 0.5 / (1 + np.exp(-(LEVEL - half) / 2))
    hits = (rng.random((30, 6)) < p).astype(np.float64)
    return SequenceCurve("curve", LEVEL, hits, tuple(f"s{i}" for i in range(30)))


def result(model: str = "local/toy") -> WhiteBoxResult:
    behaviour, read = curve(20, 0), (curve(10, 1), curve(50, 2))
    flat = np.full((2, 6), 0.48)
    accuracy = np.stack([c.p.mean(axis=0) for c in read])
    band = mean_band(read[0], 0.95)
    reading = ProbeReading(
        probe="knn",
        accuracy=accuracy,
        chance=flat,
        chance_high=flat + 0.05,
        p_value=np.where(accuracy > 0.7, 0.005, 0.4),
        chosen=0,
        curves=read,
        transitions=tuple(transition(c, options=OPTIONS) for c in read),
        lags=(lag(9.0, 5.0, 14.0), lag(-20.0, -30.0, -9.0)),
        choice_lags=(lag(1.0, -3.0, 5.0), lag(-20.0, -30.0, -9.0)),
        associations=(Association(0.9, 0.6, 1.0, 6), Association(None, None, None, 6)),
        mean=band[0],
        low=band[1],
        high=band[2],
    )
    shape = mean_band(behaviour, 0.95)
    found = Decodability(
        layers=(-1, 0),
        context_lengths=LEVEL,
        left_out=(0,),
        probes=(reading, replace(reading, probe="logistic", chosen=1)),
        chosen_on=30,
        held_out=30,
        behaviour=behaviour,
        choice=behaviour,
        behaviour_transition=transition(behaviour, options=OPTIONS),
        behaviour_mean=shape[0],
        behaviour_low=shape[1],
        behaviour_high=shape[2],
    )
    missing = ("steering: 1 of 4 measurements are done; the same command goes on",)
    labels = ("<2>", "3")
    return WhiteBoxResult(
        model, "periodic & co", "period", labels, 1, 60, ("c0",), {"decodability": found}, missing
    )


def runs(models: Sequence[str] = ("local/toy",)) -> list[RunResult]:
    inside = tuple(map(result, models))
    row = AcrossModels(
        "periodic & co", "period", "knn", ("a", "b"), Association(0.5, 0.2, 0.7, 12), (0.6, 0.9), (0.5, 0.8)
    )
    return [
        RunResult(
            name="toy", suite_digest="0" * 64, seed=1, created="2026-01-01T00:00:00+00:00", versions={},
            options=OPTIONS, models=(), curves=(), suite_yaml="", whitebox=inside, across=(row,),
        )
    ]  # fmt: skip


def test_captions_carry_the_thresholds_and_the_chance_line_is_explained() -> None:
    said = shown(result(), OPTIONS)
    note = said.figures[0].note
    assert "0.2 of the range" in note
    assert "below 0.15" in note
    assert "shuffled labels" in note
    assert any("n = 0" in text for text in said.cautions)
    assert any("layer -1, chosen on 30 other sequences" in text for text in said.sentences)


def test_every_layer_has_a_row_and_the_chosen_one_is_named() -> None:
    rows = shown(result(), OPTIONS).rows
    assert [row[0] for row in rows] == [
        "nearest neighbours, layer -1, chosen", "nearest neighbours, layer 0",
        "logistic probe, layer -1", "logistic probe, layer 0, chosen",
    ]  # fmt: skip
    assert rows[0][4] == "9.0 [5.0, 14.0]"
    assert rows[0][5] == "1.0 [-3.0, 5.0]"
    assert rows[1][6] == "n/a"


def test_a_lead_that_another_scoring_does_not_show_is_called_one_of_scoring() -> None:
    said = " ".join(shown(result(), OPTIONS).sentences)
    assert (
        said.count("The lead is one of scoring") == 1
    )  # of the nearest neighbours; the other decoder has none
    assert "p(target) above one half): which comes first is not decided" in said


def test_the_page_shows_each_model_with_ids_that_do_not_clash() -> None:
    page = html_report(runs(("local/a", "local/b"))).decode()
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert "inside-0" in ids
    assert "inside-1" in ids
    assert "&lt;2&gt;, 3" in page
    assert "1 of 4 measurements are done" in page
    assert page.count("<svg") == 4
    assert "<image" not in page  # which the page's own policy would not let a reader see


def test_latex_and_pdf_hold_the_same_figures() -> None:
    files = latex_report(runs())
    text = files["latex/transitions.tex"].decode()
    figures = {name for name in files if "inside-" in name}
    assert figures == {"latex/figures/inside-0-0-together.pdf", "latex/figures/inside-0-0-layers.pdf"}
    for name in figures:
        assert name.removeprefix("latex/").removesuffix(".pdf") in text
    assert r"periodic \& co" in text
    assert pdf_report(runs())[:5] == b"%PDF-"


def test_the_table_is_written_and_holds_every_cell() -> None:
    assert "decodability.csv" in csv_report(runs())
    table = decodability_df(runs())
    assert len(table) == 2 * 2 * 6
    assert (table.sharp_width == 0.2).all()
    chosen = table[(table.probe == "knn") & table.chosen]
    assert set(chosen.layer) == {-1}
    assert set(chosen.lag) == {9.0}


def test_models_are_compared_in_a_sentence() -> None:
    words = across_sentence(runs()[0].across[0])
    assert "over 2 models" in words
    assert "0.50 [0.20, 0.70] over 12 cells" in words
