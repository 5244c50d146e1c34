"""Tables of the sparse-regression page."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import regression_finetuning as tuning
import regression_numbers as numbers

import harness as icl
from harness.analysis import excess_delay, individuals
from harness.analysis.learning import mean_interval
from harness.local_models.recipes import bitwise
from harness.types import AnalysisOptions, Delay, SequenceCurve


def errors_table(series: Sequence[numbers.Series], ideal: numbers.Ideal) -> str:
    """Return errors over k, and what the model errs beyond mixture-Bayes and blind ridge."""
    rows = [
        [name, *(f"{v:.3f}" for v in _with_mean(squared.mean(axis=0)))]
        for name, squared in ideal.squared.items()
    ]
    for s in series:
        last = s.checkpoints[-1]
        rows.append([f"model, seed {s.seed}", *(f"{v:.3f}" for v in _with_mean(last.squared.mean(axis=0)))])
        for reference in ("mixture", "ridge"):
            cells = [_interval(*e) for e in numbers.excess(last, ideal, reference)]
            rows.append([f"model, seed {s.seed}, beyond {reference}", *cells])
    return table(["", *map(str, range(numbers.TASK.examples)), "mean"], rows)


def training_tables(series: Sequence[numbers.Series]) -> str:
    """Return decodability beside the error at some checkpoints, and the transitions over training."""
    rows, judged = [], []
    for s in series:
        shown = {0, *range(len(s.checkpoints) - 1, 0, -2)}  # the untrained, the last, every second between
        for c in (s.checkpoints[i] for i in sorted(shown)):
            rows.append(
                [
                    str(s.seed),
                    str(c.step),
                    f"{c.squared.mean():.3f}",
                    *(f"{d.accuracy:.2f}" for d in c.decoded),
                    f"{max(d.chance_high for d in c.decoded):.2f}",
                    f"{c.implied[:, -1].mean():.2f}",
                    f"{c.explained[-1]:.2f}",
                ]
            )
        behaviour = numbers.implied_over_training(s)
        chosen = numbers.as_choice(behaviour)
        judged.append([f"seed {s.seed}, implied weight", *_judged(behaviour), "", ""])
        judged.append([f"seed {s.seed}, the same as a choice", *_judged(chosen), "", ""])
        for block in range(len(s.checkpoints[0].decoded)):
            read = numbers.decoded_over_training(s, block)
            later = [_delay(_behind(curve, _rows(read, len(curve.p)))) for curve in (behaviour, chosen)]
            judged.append([f"seed {s.seed}, decoded after block {block}", *_judged(read), *later])
    blocks = [f"block {b}" for b in range(len(series[0].decoded[0]))]
    heads = ["seed", "step", "error", *blocks, "chance, 95 %", "implied", "explained"]
    over = ["over log2 step", "verdict", "location", "width", "weight is later by (octaves)", "choice is"]
    return f"{table(heads, rows)}\n{table(over, judged)}"


def posterior_table(
    paper: SequenceCurve, exact: SequenceCurve, series: Sequence[numbers.Series], ideal: numbers.Ideal
) -> str:
    """Return what the analyzer says of the exact posterior, of the implied one and of decodability, over k."""
    rows = []
    for name, curve in (("exact, D=16 r=4 K=20", paper), ("exact, the recipe's size", exact)):
        rows.append([name, *_judged(curve), _single(curve), ""])
    for s in series:
        row = numbers.implied_over_k(s)
        later = _delay(_behind(row, numbers.curve("exact posterior", row.level, ideal.posterior[:, 1:])))
        rows.append([f"seed {s.seed}, implied weight", *_judged(row), _single(row), later])
        for block in range(len(s.decoded[0])):
            read = numbers.decoded_over_k(s, block)
            exactly = numbers.as_choice(numbers.curve("exact posterior", read.level, ideal.posterior[:, 1:]))
            lag = _behind(_rows(read, len(exactly.p)), exactly)
            rows.append([f"seed {s.seed}, decoded after block {block}", *_judged(read), "", _delay(lag)])
    heads = ["", "verdict", "location (k)", "width", "width of single sequences", "later than exact by (k)"]
    curves = {"exact, D=16 r=4 K=20": paper, "exact, the recipe's size": exact}
    curves |= {f"seed {s.seed}, implied weight": numbers.implied_over_k(s) for s in series}
    k = range(numbers.TASK.examples)
    means = [[name, *(_mean_at(curve, n) for n in k)] for name, curve in curves.items()]
    return f"{table(heads, rows)}\n{table(['mean at k =', *map(str, k)], means)}"


def finetuning_tables(series: Sequence[tuning.Series]) -> str:
    """Return gains by what was tuned, their differences, and decodability by block."""
    arms = list(tuning.ARMS)
    bayes = float(bitwise.bayes_curves()[0].mean())
    gains = {arm: [s.gain(arm) for s in series] for arm in arms}
    compared = {arm: gains[arm] for arm in arms}
    for other in ("last layer", "middle layer"):
        pairs = zip(gains["first layer"], gains[other], strict=True)
        compared[f"first minus {other}"] = [mine - theirs for mine, theirs in pairs]
    before = [s.before.p_right.mean() for s in series]
    rows = [
        ["p(right bit) before", *(f"{p:.3f}" for p in before), ""],
        ["exact Bayes less that", *(f"{bayes - p:.3f}" for p in before), ""],
    ]
    for name, each in compared.items():
        cells = [_interval(float(g.mean()), *mean_interval(g)) for g in each]
        means = np.array([g.mean() for g in each])
        rows.append([name, *cells, _interval(float(means.mean()), *mean_interval(means))])
    heads = ["gain", *(f"seed {s.seed}, from step {s.step}" for s in series), "mean of the trainings"]
    chance = max(s.before.chance_high for s in series)
    decoded = [["before", *_decoded([s.before for s in series])]]
    decoded += [[arm, *_decoded([s.after[arm] for s in series])] for arm in arms]
    blocks = [f"block {b}" for b in range(len(series[0].before.decoded))]
    return f"{table(heads, rows)}\n{table([f'decoded (chance, 95 %: {chance:.2f})', *blocks], decoded)}"


def _decoded(of_series: Sequence[tuning.Read]) -> list[str]:
    each = np.array([r.decoded for r in of_series])
    return [_interval(float(c.mean()), *mean_interval(c), digits=2) for c in each.T]


def write_csv(series: Sequence[numbers.Series], ideal: numbers.Ideal, path: Path) -> None:
    """Write every checkpoint's numbers, and those of the ideal predictors."""
    k = range(numbers.TASK.examples)
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        blocks = [f"decoded_block_{b}" for b in range(len(series[0].decoded[0]))]
        out.writerow(
            ["seed", "step", *(f"error_k{i}" for i in k), *blocks, *(f"implied_k{i}" for i in k if i)]
        )
        for name, squared in ideal.squared.items():
            out.writerow([name, "", *squared.mean(axis=0).round(4)])
        for s in series:
            for c in s.checkpoints:
                decoded = [round(d.accuracy, 4) for d in c.decoded]
                means = [*c.squared.mean(axis=0).round(4), *decoded, *c.implied.mean(axis=0).round(4)]
                out.writerow([s.seed, c.step, *means])


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _judged(curve: SequenceCurve) -> list[str]:
    (t,) = icl.transitions([curve])
    numbers_of = (t.location, t.location_low, t.location_high, t.width, t.width_low, t.width_high)
    known = [v for v in numbers_of if v is not None]
    if len(known) < len(numbers_of):
        return [t.verdict, "; ".join(_interval(c.location, c.low, c.high, digits=2) for c in t.changes), ""]
    return [t.verdict, _interval(*known[:3], digits=2), _interval(*known[3:], digits=2)]


def _mean_at(curve: SequenceCurve, k: int) -> str:
    here = curve.p[:, curve.level == k]
    return f"{here.mean():.2f}" if here.size else ""


def _single(curve: SequenceCurve) -> str:
    found = individuals(curve)
    if found is None:
        return "too few change"
    smeared = "; sharp one by one, smeared on average" if found.smeared else ""
    return (
        f"{_interval(found.width, found.width_low, found.width_high, digits=2)}, spread of places "
        f"{_interval(found.spread, found.spread_low, found.spread_high, digits=2)}{smeared}"
    )


def _behind(curve: SequenceCurve, reference: SequenceCurve) -> Delay:
    return excess_delay(curve, reference, options=AnalysisOptions(), name=reference.name)


def _delay(delay: Delay) -> str:
    if delay.value is None:
        return "no change to compare with"
    if delay.censored:
        return f"at least {delay.value:.2f}"
    if delay.low is None or delay.high is None:
        return f"{delay.value:.2f}"
    return _interval(delay.value, delay.low, delay.high, digits=2)


def _rows(curve: SequenceCurve, n: int) -> SequenceCurve:
    return numbers.curve(curve.name, curve.level, curve.p[:n])


def _with_mean(row: np.ndarray) -> list[float]:
    return [*row, float(row.mean())]


def _interval(value: float, low: float, high: float, *, digits: int = 3) -> str:
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
