"""What a report says of the sequences that models wrote: words, rows of a table, and where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting.numbers import level, listing, number, plural, probability, with_interval
from harness.types import GenerationResult, GenerationStatistic, RunResult, ShareCurve

HEADS = ("statistic of a sequence", "mean", "ideal generator", "p")
_ENDINGS = {
    "length": "reached the length asked for",
    "ended": "ended earlier by the model itself",
    "cut": "cut by the limit of tokens",
    "unread": "ended where something came that is no symbol",
}


@dataclass(frozen=True, slots=True)
class TextsBlock:
    """One condition as a report shows it."""

    anchor: str
    title: str
    model: str
    words: str  # how many texts came, and how they ended
    rows: tuple[tuple[str, str, str, str], ...]  # as HEADS
    prompt: str
    text: str  # what was written first


def texts_blocks(results: Sequence[RunResult]) -> list[TextsBlock]:
    """Return every condition of every run in the order in which they were asked."""
    found = []
    for k, run in enumerate(results):
        for m, model in enumerate(dict.fromkeys(g.model for g in run.generations)):
            mine = [g for g in run.generations if g.model == model]
            found += [_block(g, f"texts-{k}-{m}-{i}") for i, g in enumerate(mine)]
    return found


def share_groups(results: Sequence[RunResult]) -> list[tuple[ShareCurve, ...]]:
    """Return the curves of one model and family together: they differ in how many symbols were given."""
    groups: dict[tuple[int, str, str, str], list[ShareCurve]] = {}
    for k, run in enumerate(results):
        for curve in run.shares:
            groups.setdefault((k, curve.model, curve.family, curve.symbol), []).append(curve)
    return [tuple(group) for group in groups.values()]


def share_note(group: Sequence[ShareCurve]) -> str:
    """Return the caption of the figure of such a group."""
    first = group[0]
    words = (
        f"{first.model}: how often {first.symbol} was written as its probability in {first.family} is swept, "
        f"which {_told(first.announced)}; mean over sequences with 95 % intervals, the diagonal is an ideal "
        "generator."
    )
    return " ".join([words, *dict.fromkeys(_transition_words(curve) for curve in group)])


def texts_summary(generations: Sequence[GenerationResult]) -> str:
    """Return one sentence on all texts of a model."""
    read, asked = sum(g.read for g in generations), sum(g.asked for g in generations)
    whole = sum(g.endings.get("length", 0) for g in generations)
    apart = sum(any(s.p < 0.05 for s in g.statistics) for g in generations)
    return (
        f"{plural(asked, 'sequence')} of random draws {'was' if asked == 1 else 'were'} asked for under "
        f"{plural(len(generations), 'condition')}: {read:,} came, {whole:,} of them whole. Under {apart} "
        f"{'condition' if apart == 1 else 'conditions'} at least one statistic differs from an ideal generator's "
        "(p < 0.05 each, not corrected)."
    )


def _block(g: GenerationResult, anchor: str) -> TextsBlock:
    return TextsBlock(
        anchor=anchor,
        title=f"{g.title}, {g.context_length} given",
        model=g.model,
        words=_words(g),
        rows=tuple(_row(s) for s in g.statistics),
        prompt=g.example_prompt,
        text=g.example_text,
    )


def _words(g: GenerationResult) -> str:
    law = ", ".join(f"{name} {100 * p:.10g} %" for name, p in zip(g.alphabet, g.law, strict=True))
    ways = listing([f"{n} {_ENDINGS[ending]}" for ending, n in g.endings.items() if n])
    came = f"{plural(g.read, 'text')} of {g.asked} came: {ways}; {_lengths(g)}."
    words = f"Law: {law}, which {_told(g.announced)}. {came}"
    if g.failures:
        words += f" Failed calls: {listing([f'{n} {kind}' for kind, n in g.failures.items()])}."
    if g.unread:
        words += f" No symbol: {listing([repr(text) for text in g.unread])}."
    return words


def _told(announced: bool) -> str:
    return "the prompt announces" if announced else "the prompt does not tell but by the symbols given"


def _lengths(g: GenerationResult) -> str:
    low, high = int(g.lengths.min()), int(g.lengths.max())
    return (
        f"{low} symbols each"
        if low == high
        else f"{low} to {high} symbols, on average {g.lengths.mean():.1f}"
    )


def _row(s: GenerationStatistic) -> tuple[str, str, str, str]:
    ideal = with_interval(s.ideal, s.ideal_low, s.ideal_high)
    return s.name, with_interval(s.mean, s.low, s.high), ideal, p_words(s.p)


def p_words(p: float) -> str:
    """Write a p-value to two significant digits; small ones as a bound."""
    if p != p:
        return "n/a"
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def _transition_words(curve: ShareCurve) -> str:
    if curve.transition is None:
        return f"No transition is asked for: {curve.note}."
    t = curve.transition
    where = f", half-way at {number(t.location, 2)}" if t.location is not None else ""
    of_it = {"none": t.p_none, "gradual": t.p_gradual, "sharp": t.p_sharp, "multiple": t.p_multiple}
    p = probability(of_it[t.verdict]) if t.verdict in of_it else ""
    odds = f" (P {p if p[0] in '<>' else f'= {p}'})" if p else ""
    return f"With {level(curve.context_length)} given: {t.verdict}{odds}{where}."
