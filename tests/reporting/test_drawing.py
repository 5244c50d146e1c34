import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import partial

import matplotlib
import numpy as np
import pytest

from harness.reporting.drawing import THEME, pdf, printable, svg
from harness.reporting.figures import WIDE, draw_curve, on_log_axis, ten_to_ninety
from harness.reporting.overview import ONSET, draw_onset, draw_overview, overview_size
from harness.reporting.sections import entries, sections, sweeps
from harness.types import CurveResult
from tests.reporting.examples import curve_result, located, logistic, sharp_at
from tests.reporting.kinds import all_kinds, odd_curves

LEVEL = np.arange(257.0)


def drawn(result: CurveResult, salt: str = "fig") -> str:
    return svg(partial(draw_curve, result=result), WIDE, salt=salt, title=result.title, description="d")


@pytest.mark.parametrize("k", range(len(all_kinds().curves)))
def test_every_kind_of_curve_is_drawn_as_sound_xml_with_its_labels(k: int) -> None:
    result = all_kinds().curves[k]
    text = drawn(result)
    root = ET.fromstring(text)
    words = {"".join(node.itertext()) for node in root.iter() if node.tag.endswith("text")}
    assert {"model", "captured mass"} <= words
    assert ("fit" in words) == bool(result.transition.fit)
    assert ("failed share" in words) == any(any(n) for n in result.failures.values())
    assert any(word.startswith("context length (symbols") for word in words)
    assert "nan" not in text


@pytest.mark.parametrize("name", odd_curves())
def test_an_odd_curve_is_drawn_inside_its_frame(name: str) -> None:
    root = ET.fromstring(drawn(odd_curves()[name]))
    _, _, width, height = (float(part) for part in root.attrib["viewBox"].split())
    for node in root.iter():
        if node.tag.endswith("text") and "x" in node.attrib:
            assert 0 <= float(node.attrib["x"]) <= width
            assert 0 <= float(node.attrib["y"]) <= height


def test_the_same_curve_gives_the_same_bytes() -> None:
    result = all_kinds().curves[0]
    draw = partial(draw_curve, result=result)
    assert drawn(result) == drawn(result)
    assert pdf([(WIDE, draw)]) == pdf([(WIDE, draw)])


def test_a_readers_settings_change_nothing() -> None:
    result = all_kinds().curves[0]
    expected = drawn(result)
    with matplotlib.rc_context({"lines.linewidth": 9.0, "font.size": 30.0, "axes.grid": True}):
        assert drawn(result) == expected
        assert matplotlib.rcParams["lines.linewidth"] == 9.0


def test_figures_of_one_page_share_no_id() -> None:
    ids = [
        set(re.findall(r' id="([^"]*)"', drawn(c, f"fig-{k}"))) for k, c in enumerate(all_kinds().curves[:2])
    ]
    assert all(ids)
    assert not ids[0] & ids[1]


def test_colours_can_be_redeclared_for_a_dark_page() -> None:
    text = drawn(all_kinds().curves[0])
    bare = re.sub(r"var\(--\w+,#[0-9a-f]{6}\)", "", text)
    assert not [colour for colour in THEME if colour in bare]
    assert "#000000" not in bare


def test_a_figure_names_no_other_resource() -> None:
    assert "http" not in drawn(all_kinds().curves[0])


def test_a_long_noisy_curve_stays_small() -> None:
    rng = np.random.default_rng(5)
    truth = logistic(LEVEL, 100, 9, 0.5, 0.98)
    noise = {f"o{i}": rng.random(257) for i in range(4)}
    failing = {"timeout": tuple(rng.integers(0, 3, 257).tolist())}
    result = curve_result(
        "c",
        truth,
        sharp_at(100, 9, 0.5, 0.98, LEVEL),
        rng=rng,
        level=LEVEL,
        observers=noise,
        failures=failing,
    )
    assert len(drawn(result)) < 60_000


def test_overview_and_onset_draw_every_member() -> None:
    rng = np.random.default_rng(0)
    results = [located(rng, k, m, 1.0) for m in ("a/x", "b/y") for k in (2, 3, 5)]
    run = replace(all_kinds(), curves=tuple(results))
    group = sections(entries([run]))
    text = svg(partial(draw_overview, group=group), overview_size(6), salt="o", title="t", description="d")
    assert text.count("period 3, binary") == 2
    (sweep,) = sweeps(results)
    text = svg(partial(draw_onset, sweep=sweep), ONSET, salt="s", title="t", description="d")
    assert "a/x" in text
    assert "b/y" in text
    assert "ideal observer" in text


def test_what_the_font_lacks_is_marked_and_dollars_stay_dollars() -> None:
    assert printable("a$b$\n 中") == "a$b$ \ufffd"
    assert printable("x" * 9, 5) == "xxxx…"


@pytest.mark.parametrize(("location", "width"), [(10.0, 4.0), (3.0, 40.0), (0.5, 0.1)])
def test_the_ends_of_a_log_transition_are_symmetric_on_the_log_axis(location: float, width: float) -> None:
    low, high = ten_to_ninety(location, width, "log2")
    assert high - low == pytest.approx(width)
    assert np.log2(high / location) == pytest.approx(np.log2(location / low))


def test_early_changes_are_drawn_against_a_log_axis() -> None:
    rng = np.random.default_rng(0)
    assert on_log_axis(located(rng, 3, "m", 1.0))  # half-way at 5.5 of 128
    assert not on_log_axis(located(rng, 3, "m", 60.0))
