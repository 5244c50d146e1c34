"""Circles: the law of the images, a model that resumes bit by bit, and a planted gap between can and does."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.errors import CheckpointError, SpecError
from harness.local_models.concept_space.evaluation import (
    Asking,
    Reading,
    blue_less_red,
    joint,
    read_checkpoint,
    read_trajectory,
)
from harness.local_models.concept_space.flow import CircleFlow, Conditioning, FlowConfig, flow_loss, generate
from harness.local_models.concept_space.images import (
    CLASSES,
    HELD_OUT,
    Separation,
    class_mean,
    draw_concepts,
    draw_images,
)
from harness.local_models.concept_space.probe import TrainedProbe, kept_probe, train_probe
from harness.local_models.concept_space.protocols import (
    directions,
    parallelogram,
    prompt,
    random_directions,
    steered,
    stronger_prompts,
)
from harness.local_models.concept_space.training import (
    CircleRun,
    checkpoint,
    load_circles,
    new_model,
    read_run,
    steps_done,
    train_circles,
)
from harness.local_models.training import train_by_name

# Strong signals on 8x8 images: all trained classes are learned, and the held-out one composes, in five CPU seconds.
RUN = CircleRun(
    colour=0.8,
    size=0.3,
    side=8,
    channels=(8, 16, 16),
    per_class=256,
    batch_size=32,
    steps=220,
    n_checkpoints=4,
    learning_rate=3e-3,
)
SMALL = CircleRun(colour=0.4, side=8, channels=(4, 8), per_class=16, batch_size=4, steps=12, n_checkpoints=3)
ASKING = Asking(images=32, selection=8, random=8, flow_steps=6)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("circles") / "run"
    train_circles(RUN, out)
    return out


@pytest.fixture(scope="module")
def probe() -> TrainedProbe:
    return train_probe([RUN.separation], RUN.side, seed=0, steps=250)


# The law of the images.


@pytest.mark.parametrize("name", CLASSES)
def test_concepts_are_uniform_about_the_published_class_means(name: str) -> None:
    colour, size = 0.2, 0.4
    values = draw_concepts(name, Separation(colour, size), 20_000, np.random.default_rng(1)).astype(
        np.float64
    )
    red = (0.6, 0.4, 0.4)
    mean = [*(red[::-1] if name[0] == "1" else red), 0.25 if name[1] == "1" else 0.65]
    half = np.array([colour / 8] * 3 + [3 * size / 8])
    standard_error = half / np.sqrt(3 * 20_000)
    assert (np.abs(values.mean(axis=0) - mean) < 5 * standard_error).all()
    np.testing.assert_allclose(np.abs(values - mean).max(axis=0), half, rtol=2e-3)  # reached, never passed
    np.testing.assert_allclose(values.std(axis=0), half / np.sqrt(3), rtol=0.02)
    np.testing.assert_allclose(class_mean(name, Separation(colour, size)), mean, atol=1e-6)


def test_a_radius_is_never_below_a_tenth() -> None:
    values = draw_concepts("01", Separation(0.2, 0.6), 5000, np.random.default_rng(1))
    assert values[:, 3].min() == pytest.approx(0.1)


@pytest.mark.parametrize("side", [16, 32])
def test_an_image_has_the_area_and_colour_it_was_told(side: int) -> None:
    separation = Separation(0.8, 0.4)
    means = np.stack([class_mean(name, separation) for name in CLASSES])
    images = draw_images(np.repeat(means, 64, axis=0), side, np.random.default_rng(2)).astype(np.float64)
    assert images.min() >= 0
    assert images.max() <= 1
    ground = images[:, :, :1, :1]  # a corner, which a circle hardly ever reaches
    cover = ((ground - images)[:, 1] / (ground[:, 1] - 0.1)).sum((1, 2)) * (
        2 / side
    ) ** 2  # green is 0.1 in all
    inside = np.median(cover.reshape(4, 64), axis=1)
    # The frame [-1, 1]^2 cuts off large circles: only the small ones show their whole area.
    np.testing.assert_allclose(inside[[2, 3]], np.pi * 0.25**2, rtol=0.12)
    centre = images[
        np.arange(len(images)),
        :,
        *np.unravel_index(images[:, 1].reshape(len(images), -1).argmin(1), (side, side)),
    ]
    for i, name in enumerate(CLASSES):
        strongest = 2 if name[0] == "1" else 0
        middle = centre.reshape(4, 64, 3)[i].mean(axis=0)
        np.testing.assert_allclose(middle, means[i, :3], atol=0.06)
        assert middle.argmax() == strongest


def test_a_wider_separation_is_a_stronger_signal_in_pixels() -> None:
    def between(separation: Separation) -> float:
        pair = [
            draw_images(np.tile(class_mean(name, separation), (64, 1)), 16, np.random.default_rng(3))
            for name in ("00", "10")
        ]
        return float(((pair[0] - pair[1]) ** 2).mean())

    assert between(Separation(0.4, 0.4)) / between(Separation(0.1, 0.4)) == pytest.approx(16, rel=0.01)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(SpecError, match=r"colour separation 1\.5"):
        Separation(1.5, 0.4)
    with pytest.raises(SpecError, match="no class '12'"):
        class_mean("12", Separation(0.2, 0.4))
    with pytest.raises(SpecError, match="side=18 must be a multiple of 4"):
        CircleRun(colour=0.2, side=18)
    with pytest.raises(SpecError, match="random=16"):
        Asking(images=8)


# The flow.


class _Straight(CircleFlow):
    """Knows the target: the velocity of the straight path to it, v = (x_1 - x) / (1 - t)."""

    def forward(self, x: torch.Tensor, t: torch.Tensor, told: Conditioning) -> torch.Tensor:
        target = told[0].mean() * torch.ones_like(x)
        return (target - x) / (1 - t)[:, None, None, None]


def test_the_true_velocity_leads_to_the_image_and_costs_nothing() -> None:
    model = _Straight(FlowConfig(side=8, channels=(4, 8)))
    noise = torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    told = [torch.full((3, 4), 0.5)] * 4
    made = generate(model, told, noise, steps=4)
    np.testing.assert_allclose(made.numpy(), 0.75, atol=1e-5)  # 0.5 in [-1, 1]
    model.conditioning = lambda concepts: [torch.full((len(concepts), 4), 0.5)] * 4  # type: ignore[method-assign]
    loss = flow_loss(model, made, torch.zeros(3, 4), noise, torch.tensor([0.1, 0.5, 0.9]))
    assert loss.item() == pytest.approx(0, abs=1e-8)


def test_the_default_model_has_the_size_that_is_reported() -> None:
    assert sum(p.numel() for p in new_model(CircleRun(colour=0.2)).parameters()) == 230_179


# Training.


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def kill(done: int, *_: object) -> None:
        if done == 8:
            raise Killed

    whole = train_circles(SMALL, tmp_path / "whole")
    with pytest.raises(Killed):
        train_circles(SMALL, tmp_path / "parts", on_progress=kill)
    assert steps_done(tmp_path / "parts") != steps_done(tmp_path / "whole")
    parts = train_circles(SMALL, tmp_path / "parts")
    assert parts.losses == whole.losses
    assert steps_done(tmp_path / "parts") == steps_done(tmp_path / "whole") == list(SMALL.checkpoints)
    for step in SMALL.checkpoints:
        a, b = (checkpoint(tmp_path / x, step) / "model.safetensors" for x in ("whole", "parts"))
        assert a.read_bytes() == b.read_bytes()


def test_another_run_is_refused_and_a_directory_says_which_it_holds(tmp_path: Path) -> None:
    train_circles(SMALL, tmp_path / "run")
    assert read_run(tmp_path / "run") == SMALL
    with pytest.raises(CheckpointError, match="not empty"):
        train_circles(CircleRun(colour=0.3), tmp_path / "run")
    with pytest.raises(CheckpointError, match="icl train concept-space"):
        read_run(tmp_path)
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        load_circles(tmp_path)


def test_the_recipe_trains_one_run_with_its_papers(tmp_path: Path) -> None:
    result = train_by_name(
        "concept-space?colour=0.3&side=8&width=4&batch_size=4", tmp_path / "r", seed=5, steps=3
    )
    run = read_run(tmp_path / "r")
    assert (run.colour, run.seed, run.steps, run.channels) == (0.3, 5, 3, (4, 8, 16))
    record = json.loads((tmp_path / "r" / "training.json").read_text())
    assert len(record["loss"]) == len(result.losses) == 3
    assert "Small blue is held out" in (tmp_path / "r" / "README.md").read_text()


# Asking.


def test_the_probe_tells_colour_and_size_and_is_kept(tmp_path: Path, probe: TrainedProbe) -> None:
    assert min(probe.accuracy) > 0.97
    first = kept_probe(tmp_path / "p.safetensors", [Separation(0.8, 0.4)], 8, seed=0, steps=3)
    again = kept_probe(
        tmp_path / "p.safetensors", [Separation(0.8, 0.4)], 8, seed=1, steps=3
    )  # read, not trained
    image = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    np.testing.assert_array_equal(first.probe.judge(image), again.probe.judge(image))
    assert first.accuracy == again.accuracy


class _Additive(CircleFlow):
    """Says of concepts a linear map, so that the intervention must hit class 11 exactly."""

    def conditioning(self, concepts: torch.Tensor) -> Conditioning:
        return [concepts @ torch.arange(12.0).reshape(4, 3), -concepts]


def test_where_the_pathway_adds_up_the_intervention_is_the_plain_prompt() -> None:
    model, separation = _Additive(FlowConfig(side=8, channels=(4, 8))), Separation(0.4, 0.4)
    # Directions come from jittered prompts: their mean is off by what 256 draws leave, s.d. jitter / sqrt(3 * 128).
    way = directions(model, separation, seed=0).colour
    for hit, plain in zip(
        steered(model, separation, way, 1.0), prompt(model, HELD_OUT, separation), strict=True
    ):
        np.testing.assert_allclose(hit.numpy(), plain.numpy(), atol=0.6)
    assert parallelogram(model, separation) == pytest.approx(1, abs=1e-5)


def test_random_directions_are_as_long_in_every_block() -> None:
    way = directions(new_model(RUN), RUN.separation, seed=0).colour
    drawn = random_directions(way, 200, seed=1)
    for i, block in enumerate(way):
        lengths = [float(d[i].norm()) for d in drawn]
        np.testing.assert_allclose(lengths, float(block.norm()), rtol=1e-5)
    cosines = [float(torch.cosine_similarity(torch.cat(d), torch.cat(way), dim=0)) for d in drawn]
    assert abs(np.mean(cosines)) < 0.05  # four s.d.: width 80, 200 draws
    assert len({round(c, 6) for c in cosines}) == 200


def test_prompts_grow_stronger_up_to_the_widest() -> None:
    model = _Additive(FlowConfig(side=8, channels=(4, 8)))
    for colour, n in ((0.1, 4), (0.2, 4), (0.4, 3), (0.9, 1), (1.0, 1)):
        blue_less_red = [
            float(told[1][0, 0] - told[1][0, 2]) for told in stronger_prompts(model, Separation(colour, 0.4))
        ]
        assert blue_less_red[0] == pytest.approx(colour, abs=1e-5)
        assert len(blue_less_red) == n
        assert blue_less_red == sorted(blue_less_red)


def corrupted(model: CircleFlow) -> Callable[[torch.Tensor], Conditioning]:
    """Return a conditioning pathway that says small red wherever small blue is meant."""
    whole, red = model.conditioning, torch.from_numpy(class_mean("01", RUN.separation))

    def pathway(concepts: torch.Tensor) -> Conditioning:
        small_blue = (concepts[:, 2] > concepts[:, 0]) & (concepts[:, 3] < 0.45)
        return whole(torch.where(small_blue[:, None], red, concepts))

    return pathway


def ask(model: CircleFlow, probe: TrainedProbe) -> Reading:
    return read_checkpoint(model, RUN.separation, probe.probe, asking=ASKING)


def gap(reading: Reading) -> float:
    return joint(reading.answers["latent"]) - joint(reading.answers[HELD_OUT])


def test_a_planted_gap_shows_and_goes_when_the_pathway_is_restored(
    trained: Path, probe: TrainedProbe
) -> None:
    model = load_circles(checkpoint(trained, RUN.steps))
    restored = ask(model, probe)
    model.conditioning = corrupted(model)  # type: ignore[method-assign, assignment]
    planted = ask(model, probe)
    untrained = ask(load_circles(checkpoint(trained, 0)), probe)
    np.testing.assert_array_equal(planted.answers["latent"], restored.answers["latent"])  # it still can
    assert joint(restored.answers["latent"]) > 0.5
    assert joint(restored.answers[HELD_OUT]) > 0.5
    assert joint(planted.answers[HELD_OUT]) < 0.25  # and does not when asked
    assert joint(planted.answers["stronger"]) < 0.25  # asked louder, it is told the same
    assert gap(planted) > 0.4
    assert abs(gap(restored)) < 0.2
    assert joint(planted.answers["random"]) < 0.35
    assert joint(planted.answers["wrong"]) < 0.35
    assert abs(gap(untrained)) < 0.05
    assert joint(untrained.answers["latent tuned"]) < 0.3


def test_the_colour_that_was_asked_for_is_read_back() -> None:
    separation = Separation(0.4, 0.3)
    for name, difference in (("11", 0.4), ("01", -0.4), ("10", 0.4)):
        images = draw_images(np.tile(class_mean(name, separation), (64, 1)), 16, np.random.default_rng(4))
        assert float(np.mean(blue_less_red(torch.from_numpy(images)))) == pytest.approx(difference, abs=0.02)


def test_readings_are_kept_and_belong_to_their_way_of_asking(
    trained: Path, probe: TrainedProbe, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    shutil.copytree(trained, out)
    first = read_trajectory(out, probe, asking=ASKING)
    assert first.step.tolist() == list(RUN.checkpoints)
    assert first.p["11"].shape == (len(RUN.checkpoints), ASKING.images, 2)
    kept = out / f"reading-{RUN.steps:06d}.json"
    marked = json.loads(kept.read_text()) | {"parallelogram": 0.123}
    kept.write_text(json.dumps(marked))
    assert read_trajectory(out, probe, asking=ASKING).parallelogram[-1] == 0.123  # read, not asked again
    other = Asking(images=8, selection=8, random=8, flow_steps=6)
    assert read_trajectory(out, probe, asking=other).parallelogram[-1] == pytest.approx(
        first.parallelogram[-1]
    )
    shutil.rmtree(checkpoint(out, RUN.steps))
    with pytest.raises(CheckpointError, match="finish its training"):
        read_trajectory(out, probe, asking=ASKING)
