import numpy as np
import pytest

from harness.emergence import find, jobs
from harness.emergence_spec import EmergenceSpec
from harness.errors import SpecError
from harness.judgments import Judgments
from harness.reporting.drawing import svg
from harness.reporting.emerged import HEADS, shown
from harness.reporting.emerged_table import emergence_df
from harness.reporting.inside import Shown
from harness.types import AnalysisOptions, RunResult
from harness.types.emergence import EmergenceReading
from harness.types.whitebox import Arrays, Job, WhiteBoxResult, WhiteBoxStudy

ASKED = EmergenceSpec(entities=["a", "b", "c", "d"], separator=",", shots=2, layers=[1], n=400)
STUDY = WhiteBoxStudy("letters", "period", ("2", "3"), (1, 2), (), 7, "digest")
TRUTH = (2.0, 2.0, np.log2(12), np.log2(12))  # prefix entropies of two of four entities with separators


def measured(**changes: float) -> list[tuple[Job, Arrays]]:
    """What both networks give where every prefix was run, but for the changes."""
    done: list[tuple[Job, Arrays]] = []
    for job in jobs(ASKED, STUDY, 2):
        t = int(str(job["token"]))
        row = {
            "closed_form": TRUTH[t], "n_prefixes": 2 ** round(TRUTH[t]), "plug_in": TRUTH[t],
            "coarse": TRUTH[t] - 0.5,
            "distinct_in": 4, "distinct_out": 4, "shared": 0.0, "held_out": TRUTH[t] - 0.02,
            "held_out_error": 0.01, "smile": 1.0,
            "info_nce": TRUTH[t] - 0.03, "ceiling": 6.6, "faithful": 9.0, "micro": 2.0 * (t % 2 == 0),
            "micro_faithful": 3.0 * (t % 2 == 0), "cross_entropy": 5.0, "cross_entropy_error": 0.1,
        } | changes  # fmt: skip
        done.append((job, {name: np.array(value) for name, value in row.items()}))
    return done


def reading(done: list[tuple[Job, Arrays]]) -> EmergenceReading:
    found = find(ASKED, done, STUDY, {}, AnalysisOptions(), Judgments(None))
    assert isinstance(found, EmergenceReading)
    return found


def test_every_block_network_and_token_is_one_job() -> None:
    found = jobs(ASKED.model_copy(update={"layers": "all"}), STUDY, 3)
    assert len({(j["layer"], j["network"], j["token"]) for j in found}) == len(found) == 3 * 2 * 4
    assert len(jobs(ASKED.model_copy(update={"separator": ""}), STUDY, 3)) == 2 * 2


def test_a_layer_that_the_model_lacks_is_refused() -> None:
    with pytest.raises(SpecError, match=r"layer 1 is not in 0\.\.0"):
        jobs(ASKED, STUDY, 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"entities": ["a", "a"]}, "names one twice"),
        ({"shots": 5}, "cannot be drawn from 4"),
        ({"n": 10}, "400"),
    ],
)
def test_what_cannot_be_drawn_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        EmergenceSpec.model_validate({"entities": ["a", "b", "c", "d"], "shots": 2} | changes)


def test_emergence_is_the_prefix_less_the_mean_token_and_rises_with_entities_alone() -> None:
    cells = reading(measured()).of("trained", 1)
    np.testing.assert_allclose([c.emergence for c in cells], np.array(TRUTH) - 1.0)
    assert [c.entity for c in cells] == [True, False, True, False]
    assert cells[0].faithful_emergence == pytest.approx(9.0 - 1.5)


def test_the_headline_is_exact_where_all_prefixes_were_run() -> None:
    assert {c.headline for c in reading(measured()).cells} == {"plug-in"}


def test_the_headline_is_counted_where_the_states_drawn_tell_all_prefixes_apart() -> None:
    cells = reading(measured(plug_in=np.nan)).cells
    assert {c.headline for c in cells} == {"closed form"}
    assert [c.macro for c in cells[:4]] == list(TRUTH)


def test_the_headline_is_read_on_held_out_pairs_where_prefixes_share_a_state() -> None:
    cells = reading(measured(plug_in=np.nan, shared=1.0)).cells
    assert {c.headline for c in cells} == {"held-out"}
    assert cells[0].macro == pytest.approx(TRUTH[0] - 0.02)


@pytest.mark.parametrize("value", [6.7, -3.0])
def test_a_value_that_its_pairs_cannot_carry_is_replaced_by_the_contrastive_bound(value: float) -> None:
    cell = reading(measured(plug_in=np.nan, shared=1.0, held_out=value)).cells[0]
    assert cell.macro == pytest.approx(TRUTH[0] - 0.03)
    assert "contrastive" in cell.why
    assert cell.above_ceiling == (value > 6.6)


def test_the_published_rule_is_never_the_headline() -> None:
    cells = reading(measured(plug_in=np.nan, shared=1.0, held_out=np.nan, info_nce=np.nan)).cells
    assert {c.headline for c in cells} == {"upper bound"}
    assert all(c.macro == c.closed_form for c in cells)


def test_a_block_with_a_token_missing_is_left_out() -> None:
    assert isinstance(find(ASKED, measured()[:3], STUDY, {}, AnalysisOptions(), Judgments(None)), str)
    part = reading(measured()[:5])  # the trained network whole, one token of the untrained one
    assert {c.network for c in part.cells} == {"trained"}
    assert part.largest_difference(1) is None


def test_the_networks_are_compared_by_their_largest_difference() -> None:
    done = measured()
    at = next(i for i, (job, _) in enumerate(done) if (job["network"], job["token"]) == ("untrained", 2))
    done[at] = (done[at][0], {**done[at][1], "plug_in": np.array(TRUTH[2] - 0.25)})
    assert reading(done).largest_difference(1) == pytest.approx(0.25)


def drawn(told: Shown) -> str:
    figure = told.figures[0]
    return svg(figure.draw, figure.size, salt="test", title="t", description="d")


def result(found: EmergenceReading) -> WhiteBoxResult:
    return WhiteBoxResult("local/m", "letters", "period", ("2", "3"), 2, 8, (), {"emergence": found})


def test_the_report_says_how_each_value_was_found() -> None:
    told = shown(result(reading(measured(held_out=9.0))), AnalysisOptions())
    text = " ".join((*told.sentences, *told.cautions))
    assert "all prefixes were run" in text
    assert "8 held-out values exceed 6.6 bits" in text
    assert "published rule" in text
    assert all(len(row) == len(HEADS) for row in told.rows)
    assert len(told.rows) == 4  # two networks, two entities
    assert "untrained" in drawn(told)


def test_the_report_goes_without_what_was_not_asked() -> None:
    done = measured(
        held_out=np.nan, held_out_error=np.nan, info_nce=np.nan, smile=np.nan, faithful=np.nan, ceiling=np.nan
    )
    told = shown(result(reading(done)), AnalysisOptions())
    assert not told.cautions
    assert "n/a" in told.rows[0]
    assert "held-out" not in drawn(told)


def test_the_table_has_a_row_a_network_block_and_token() -> None:
    run = RunResult(
        "r", "", 0, "", {}, AnalysisOptions(), (), (), "", whitebox=(result(reading(measured())),)
    )
    frame = emergence_df([run])
    assert len(frame) == 8
    assert frame["emergence"].tolist()[:4] == pytest.approx([x - 1 for x in TRUTH])
    assert not frame["above_ceiling"].any()
