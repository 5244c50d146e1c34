"""Figures of the sparse-regression page."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from regression_finetuning import ARMS
from regression_finetuning import Series as Tuned
from regression_numbers import TASK, Ideal, Series, implied_over_training

from harness.analysis import mean_band
from harness.local_models.recipes import bitwise
from harness.reporting.drawing import (
    BROWN,
    FAILED,
    FAINT,
    IDEAL,
    INK,
    MODEL,
    MUTED,
    PLACE,
    VIOLET,
    Frame,
    level_axis,
)
from harness.types import Floats, SequenceCurve

ERRORS_SIZE, TRAINING_SIZE, POSTERIOR_SIZE, TUNED_SIZE = (6.0, 3.0), (7.4, 3.1), (7.4, 3.0), (7.0, 3.0)
REFERENCES = {"oracle": PLACE, "mixture": IDEAL, "ridge": MUTED}
NAMED = {"oracle": "oracle (true basis known)", "mixture": "mixture-Bayes", "ridge": "blind ridge"}
_BLOCKS = (BROWN, FAILED, VIOLET)
_TALL = 2.05  # inches
_BAYES = float(bitwise.bayes_curves()[0].mean())


def draw_errors(frame: Frame, series: Sequence[Series], ideal: Ideal) -> None:
    """Draw mean squared error against the number of examples, a line a seed, on a log scale."""
    axes = frame.axes(0.6, 0.5, 3.3, _TALL)
    k = np.arange(TASK.examples)
    for name, ink in REFERENCES.items():
        axes.plot(k, ideal.squared[name].mean(axis=0), color=ink, linestyle=(0, (4, 2)))
    for one in series:
        axes.plot(k, one.checkpoints[-1].squared.mean(axis=0), ".-", color=MODEL, ms=4, linewidth=1)
    axes.set_yscale("log")
    axes.set_yticks(ticks := [0.01, 0.1, 1.0], [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel("examples before the one asked, k")
    frame.text(0.05, frame.height - 0.2, "squared error / rank")
    _legend(frame, 4.05, [("model, a line a seed", MODEL), *((NAMED[n], c) for n, c in REFERENCES.items())])


def draw_training(frame: Frame, series: Sequence[Series], ideal: Ideal) -> None:
    """Draw error (left) and decodability with implied weight (right) against training step, a line a seed."""
    left, right = frame.axes(0.5, 0.5, 2.3, _TALL), frame.axes(3.25, 0.5, 2.3, _TALL)
    step = np.array([c.step for c in series[0].checkpoints[1:]], dtype=np.float64)
    for axes in (left, right):
        level_axis(axes, step, log2=True)
        axes.set_xticks(ticks := [64, 256, 1024, 4096], [str(t) for t in ticks])
        axes.set_xlabel("training step (log scale)")
        axes.set_ylim(0, 1.05)
    for name, ink in REFERENCES.items():
        left.axhline(float(ideal.squared[name].mean()), color=ink, linestyle=(0, (4, 2)))
    chance = max(d.chance_high for one in series for c in one.checkpoints for d in c.decoded)
    right.axhline(chance, color=FAINT)
    for one in series:
        kept = one.checkpoints[1:]
        left.plot(step, [c.squared.mean() for c in kept], ".-", color=MODEL, ms=4, linewidth=1)
        for block, ink in enumerate(_BLOCKS):
            right.plot(step, [c.decoded[block].accuracy for c in kept], color=ink, linewidth=1)
        weight = implied_over_training(one)
        right.plot(2**weight.level, weight.p.mean(axis=0), ".-", color=MODEL, ms=4, linewidth=1)
    frame.text(0.05, frame.height - 0.2, "squared error / rank, mean over k")
    frame.text(3.05, frame.height - 0.2, f"basis after {TASK.examples - 1} examples")
    texts = [("implied weight", MODEL), *((f"decoded, block {b}", c) for b, c in enumerate(_BLOCKS))]
    _legend(frame, 5.7, [*texts, ("chance, 95 %", MUTED), ("left: model", MODEL), *_short()])


def draw_posterior(
    frame: Frame,
    paper: SequenceCurve,
    exact: SequenceCurve,
    implied: Sequence[SequenceCurve],
    decoded: Sequence[SequenceCurve],
) -> None:
    """Draw the posterior of the true basis over k: exact at the paper's size, and with the model's at the recipe's."""
    left, right = frame.axes(0.5, 0.5, 2.5, _TALL), frame.axes(3.3, 0.5, 2.3, _TALL)
    _band(left, paper, IDEAL)
    _band(right, exact, IDEAL)
    for one in implied:
        _band(right, one, MODEL)
    for one in decoded:
        right.plot(one.level, one.p.mean(axis=0), color=VIOLET, linewidth=1)
    for axes in (left, right):
        axes.axhline(0.25, color=FAINT)
        axes.set_ylim(0, 1.05)
        axes.set_xlabel("examples before the one asked, k")
    frame.text(0.05, frame.height - 0.2, "true basis: D=16, r=4, K=20")
    frame.text(3.05, frame.height - 0.2, f"D={TASK.dimensions}, r={TASK.rank}, K={TASK.examples}")
    texts = [("exact posterior", IDEAL), ("implied by the model", MODEL), ("decoded, last block", VIOLET)]
    _legend(frame, 5.7, texts)


def draw_tuned(frame: Frame, series: Sequence[Tuned]) -> None:
    """Draw the gain of p(right bit) by what was tuned (left) and where the operation is decoded then (right)."""
    left, right = frame.axes(0.6, 0.75, 2.6, _TALL - 0.2), frame.axes(3.8, 0.75, 2.6, _TALL - 0.2)
    for i, arm in enumerate(ARMS):
        gains = [float(one.gain(arm).mean()) for one in series]
        left.plot(_beside(i, len(gains)), gains, "o", color=MODEL, ms=3.5, alpha=0.8)
    left.axhline(float(np.mean([_BAYES - one.before.p_right.mean() for one in series])), color=IDEAL)
    for i, arm in enumerate(["before", *ARMS]):
        read = [one.before if arm == "before" else one.after[arm] for one in series]
        for block, ink in enumerate(_BLOCKS):
            places = _beside(i + 0.22 * (block - 1), len(read))
            right.plot(places, [r.decoded[block] for r in read], "o", color=ink, ms=3, alpha=0.8)
    left.axhline(0, color=FAINT)
    left.set_xticks(range(len(ARMS)), [a.replace(" ", "\n") for a in ARMS])
    right.set_xticks(range(len(ARMS) + 1), ["before", *(a.replace(" ", "\n") for a in ARMS)])
    right.axhline(max(one.before.chance_high for one in series), color=FAINT)
    right.set_ylim(0, 1.05)
    frame.text(0.05, frame.height - 0.2, "gain of p(right bit)")
    frame.text(1.75, frame.height - 0.2, "line: to exact Bayes", color=IDEAL)
    frame.text(3.4, frame.height - 0.2, "operation decoded after block")
    for block, ink in enumerate(_BLOCKS):
        frame.text(5.55 + 0.22 * block, frame.height - 0.2, str(block), color=ink)


def _band(axes: Axes, curve: SequenceCurve, ink: str) -> None:
    mean, low, high = mean_band(curve)
    axes.fill_between(curve.level, low, high, color=ink, alpha=0.15, linewidth=0)
    axes.plot(curve.level, mean, ".-", color=ink, ms=4, linewidth=1)


def _short() -> list[tuple[str, str]]:
    return [(f"left: {NAMED[n].partition(' (')[0]}", ink) for n, ink in REFERENCES.items()]


def _legend(frame: Frame, left: float, texts: Sequence[tuple[str, str]]) -> None:
    for i, (text, ink) in enumerate(texts):
        frame.text(left, frame.height - 0.5 - 0.2 * i, text, color=ink or INK)


def _beside(place: float, n: int) -> Floats:
    """Return n places around one."""
    return np.asarray(place + 0.03 * (np.arange(n) - (n - 1) / 2))
