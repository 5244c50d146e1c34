"""Hidden capability by a suite: a planted gap is found, vanishes when restored, and an untrained network has none."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.capability import jobs
from harness.errors import WhiteBoxError
from harness.execute import RunOptions, execute
from harness.frames import capability_df
from harness.local_models.adapter import LocalModel
from harness.local_models.checkpoints import resolve_checkpoint
from harness.local_models.loading import load_checkpoint
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.capability import measure
from harness.local_models.whitebox.capability_trials import contrast, last_states
from harness.local_models.whitebox.directions import mean_difference
from harness.local_models.whitebox.sites import TokenRows
from harness.reporting.drawing import svg
from harness.reporting.latex_inside import inside
from harness.reporting.trained_capability import capability_blocks
from harness.reporting.whitebox import inside_blocks, inside_tables
from harness.runs import Run, open_run
from harness.spec import SuiteSpec
from harness.suite_files import parse_suite
from harness.types.capability import Capability
from harness.types.whitebox import Arrays, Job, WhiteBoxStudy
from harness.whitebox_studies import studies_of

CONTRAST = 0.1  # what is left of the difference between the embeddings of heads and tails
SUITE = """\
name: planted
seed: 5
models: ["local/{model}@*"]
tasks:
  - family: bernoulli
    params: {{p: {{sweep: [0.1, 0.3, 0.7, 0.9]}}, symbols: coin}}
    context_lengths: [4, 8, 24]
    sequences: 40
    whitebox:
      concept: p
      capability:
        positive: [0.7, 0.9]
        negative: [0.1, 0.3]
        seen: {{p: [0.1, 0.9]}}
        wrong: {{family: periodic, concept: period, values: [2, 1]}}
        context_length: 24
        threshold: 0.9
        alphas: [1, 2, 4, 8]
        random_directions: 8
        untrained: false
        smoothing: 0
        consecutive: 1
analysis: {{min_change: 0.05}}
"""
# 1/2 agrees to 0.84 with Laplace's rule on these coins, so that no gap can exceed 0.16.


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained at step 0; at 64 the trained body behind an input that hardly tells heads from tails; at 128 mended."""
    root = tmp_path_factory.mktemp("planted")
    for step, name in ((0, "icl-mixture@0"), (64, "icl-mixture"), (128, "icl-mixture")):
        source = resolve_checkpoint(name).directory
        assert source is not None
        folder = root / f"step-{step:06d}"
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("step-*", "training.json"))
    loaded = load_checkpoint(str(root / "step-000064"), device="cpu")
    head = loaded.model.get_output_embeddings()
    head.weight = torch.nn.Parameter(head.weight.detach().clone())  # stays as it was trained
    loaded.model.config.tie_word_embeddings = False
    weight = loaded.model.get_input_embeddings().weight.data
    heads, tails = loaded.tokenizer.convert_tokens_to_ids(["H", "T"])
    mean = weight[[heads, tails]].mean(dim=0)
    weight[[heads, tails]] = mean + CONTRAST * (weight[[heads, tails]] - mean)
    loaded.model.save_pretrained(root / "step-000064")
    return root


def suite(series: Path | str) -> SuiteSpec:
    return parse_suite(SUITE.format(model=series), "planted")


@pytest.fixture(scope="module")
def run(series: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("run")
    outcome = execute(suite(series), RunOptions(out=out))
    assert (outcome.tally.measured, outcome.tally.measurements) == (
        9,
        9,
    )  # two layers and what is asked, by step
    return Run(out)


@pytest.fixture(scope="module")
def found(run: Run) -> dict[str, Capability]:
    by_step = {
        result.model.rpartition("@")[2]: result.findings["capability"] for result in run.result.whitebox
    }
    assert all(isinstance(record, Capability) for record in by_step.values())
    return {step: record for step, record in by_step.items() if isinstance(record, Capability)}


def test_a_trained_body_behind_a_lagging_input_shows_a_gap(found: dict[str, Capability]) -> None:
    planted = found["64"]
    assert planted.gap.shown
    assert planted.gap.latent.low > 0.05
    assert planted.gap.natural.low > 0  # alpha = 1: nothing tuned but the layer
    assert planted.reading.best == "latent"
    assert planted.gap.over.high < 0.03  # repeating evidence whose symbols look alike does not help


def test_the_gap_vanishes_when_the_input_is_restored(found: dict[str, Capability]) -> None:
    restored = found["128"]
    assert not restored.gap.shown
    assert restored.gap.latent.high < 0.01
    assert restored.reading.naive.mean() > 0.95  # close to Laplace's rule when asked


def test_an_untrained_network_shows_no_gap(found: dict[str, Capability]) -> None:
    untrained = found["0"]
    assert not untrained.gap.shown
    assert untrained.gap.latent.high < 0.05


def test_controls_do_not_close_a_planted_gap(found: dict[str, Capability]) -> None:
    reading = found["64"].reading
    closed = reading.tuned.mean() - reading.naive.mean()
    assert reading.random.mean() - reading.naive.mean() < closed / 3
    assert reading.wrong.mean() - reading.naive.mean() < closed / 2
    assert reading.mass[1] > 0.95


def test_capability_leads_behaviour_by_the_octave_that_was_planted(run: Run) -> None:
    ((one,),) = (seeds.series for seeds in run.result.capability)
    assert one.course.step.tolist() == [0, 64, 128]
    assert (one.course.capability, one.course.behaviour) == (64, 128)
    lead = one.course.lead
    assert lead is not None
    assert (lead.value, lead.low, lead.high, lead.bound) == (1.0, 1.0, 1.0, False)
    assert lead.without < 0.05


def test_layer_scale_and_strength_are_not_chosen_on_the_trials_reported(series: Path) -> None:
    """Held-out trials with the law of the other class leave what was chosen as it is."""
    (asked,) = studies_of(suite(series), limit=16)
    section = asked.spec.capability
    assert section is not None
    job = next(j for j in jobs(section, asked.study, 2) if j["what"] == "layer")
    loaded = load_checkpoint(str(series / "step-000128"), device="cpu")
    turned = list(asked.study.trials)
    listed, chosen = job["trials"], job["selection"]
    assert isinstance(listed, list)
    assert isinstance(chosen, list)
    for t, selected in zip((int(str(t)) for t in listed), chosen, strict=True):
        drawn = turned[t].drawn
        assert drawn is not None
        if not selected:
            other = {name: table[:, ::-1] for name, table in drawn.observers.items()}
            turned[t] = replace(turned[t], drawn=replace(drawn, observers=other))
    plain = measure(loaded, asked.study, job)
    changed = measure(loaded, replace(asked.study, trials=tuple(turned)), job)
    held = ~np.array(chosen, dtype=np.bool_)
    assert plain["best"] == changed["best"]
    np.testing.assert_array_equal(plain["latent"][:, ~held], changed["latent"][:, ~held])
    assert (plain["latent"][:, held] != changed["latent"][:, held]).any()


def test_the_last_token_is_no_part_of_a_direction() -> None:
    """Classes that differ in how often they end in a token alone have, token by token, the same mean: no direction."""
    loaded = load_checkpoint("icl-mixture", device="cpu")
    box = WhiteBox(loaded.model, loaded.tokenizer)
    bos = loaded.tokenizer.bos_token_id
    heads, tails = ((bos, *loaded.tokenizer.convert_tokens_to_ids(list(text))) for text in ("HTH", "HTT"))
    mostly, rarely = TokenRows((heads,) * 3 + (tails,)), TokenRows((heads,) + (tails,) * 3)
    matched = contrast(box, (mostly, rarely), 1)
    assert matched.length < 1e-5 * matched.residual_norm  # rounding
    plain = mean_difference(1, last_states(box, mostly, 1), last_states(box, rarely, 1))
    assert plain.length > 1e-2 * plain.residual_norm
    with pytest.raises(WhiteBoxError, match="end in no common token"):
        contrast(box, (TokenRows((heads,)), TokenRows((tails,))), 1)


def test_an_interrupted_run_goes_on_and_gives_the_same(
    series: Path, found: dict[str, Capability], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, looked = LocalModel.look_inside, list[str]()

    def second_breaks(self: LocalModel, kind: str, study: WhiteBoxStudy, job: Job) -> Arrays:
        looked.append(str(job["what"]))
        if len(looked) == 2:
            raise KeyboardInterrupt
        return look(self, kind, study, job)

    monkeypatch.setattr(LocalModel, "look_inside", second_breaks)
    alone = parse_suite(SUITE.format(model=series).replace("@*", "@64"), "planted")
    with pytest.raises(KeyboardInterrupt):
        execute(alone, RunOptions(out=tmp_path))
    (only,) = open_run(tmp_path).result.whitebox
    assert not only.findings  # one layer of two: nothing is chosen yet
    assert "chosen when every layer is measured" in only.missing[1]
    assert execute(alone, RunOptions(out=tmp_path)).tally.measured == 2
    (again,) = open_run(tmp_path).result.whitebox
    record = again.findings["capability"]
    assert isinstance(record, Capability)
    assert record.gap == found["64"].gap
    np.testing.assert_array_equal(record.reading.random, found["64"].reading.random)


def test_a_report_shows_course_choices_and_controls_and_the_table_has_a_row_a_way(
    run: Run,
) -> None:
    table = capability_df(run)
    assert len(table) == 3 * 7
    tuned = table[(table.way == "tuned") & (table.step == 64)].iloc[0]
    assert tuned.shown
    assert tuned.gap_low > 0
    assert (tuned.capability_step, tuned.behaviour_step, tuned.lead, tuned.seeds) == (64, 128, 1.0, 1)
    assert (table[table.way == "naive"].gap == 0).all()
    (block,) = capability_blocks([run.result])
    (part,) = block.shown
    assert "A latent gap is shown at step 64 (" in part.sentences[0]
    assert any("leads behaviour by 1.0" in sentence for sentence in part.sentences)
    assert [len(row) for row in part.rows] == [len(part.heads)] * 3
    assert part.rows[1][part.heads.index("random")].endswith("(0/8)")
    note = part.figures[0].note
    assert "which no trial has" in note
    assert "chosen on 40 trials; what is shown is of the other 40" in note
    assert "period 2 against 1 of periodic" in note
    assert "capability.csv" in inside_tables([run.result])
    assert "Hidden capability through training" in "".join(inside([run.result]))  # of LaTeX
    shown = [part for block in inside_blocks([run.result]) for part in block.shown]
    for drawn in (*part.figures, *shown[1].figures):
        assert svg(drawn.draw, drawn.size, salt="c", title=drawn.title, description=drawn.note).startswith(
            "<svg"
        )
