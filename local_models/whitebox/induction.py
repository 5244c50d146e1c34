"""Induction heads: heads that look for what followed last time, and whether what is predicted needs them.

After Olsson et al. 2022, on random blocks of symbols that are repeated. The last
block is also shown in another order, where only a head that compares symbols,
not one that looks back a fixed distance, finds what followed. Predictions are
those of the model's own attention implementation, patterns those of the eager
one, from which it differs by rounding.
"""

from collections.abc import Sequence as Seq
from dataclasses import replace

import numpy as np

from harness.errors import WhiteBoxError
from harness.local_models.alignment import Aligner
from harness.local_models.loading import LoadedModel
from harness.local_models.whitebox.attention import (
    Blocks,
    attention_by_place,
    attention_patterns,
    draw_blocks,
    followers,
    moved,
    prefix_matching,
    raised_share,
)
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.function_vectors import Head, projected
from harness.local_models.whitebox.interventions import Ablate
from harness.local_models.whitebox.sites import Site, TokenRows
from harness.local_models.whitebox.study import token_rows
from harness.types import Floats, Ints, Request
from harness.types.whitebox import Arrays, Job, WhiteBoxStudy

_COPYING_ROWS = 8  # logits of the whole vocabulary are computed for every head: on this many rows
OFFSETS = range(-4, 13)  # from the symbol that followed: places where it may be read off instead
_RANKING, _MEASURED, _ORDERS = 0, 1, 2  # keys of independent streams: heads are ranked on other blocks


def measure(loaded: LoadedModel, study: WhiteBoxStudy, job: Job) -> Arrays:
    """Measure the scores of every head, or what is left of the last copy as heads are ablated.

    `what: scores` gives, (n_layers, n_heads) with the layers in `layers`: `repeated`,
    the prefix-matching score on repeated blocks, and `distance`, attention to the
    same places where the last block is reordered; `reordered`, the score there,
    `control`, attention to these places in rows where other symbols than the one
    looked for and the context's own stand there, and `error`, the standard error of
    their difference over rows; `copying`. `around` (n_offsets, n_layers, n_heads) is that
    difference at the symbols `offsets` after the one that followed: a head may read
    what followed at a later place, to which other heads have carried it. `uniform` is the score of even attention on
    repeated blocks; (n_rows, block - 1) `first` and `last` are p(target) along these
    copies. Places compete for attention, so that `reordered` can exceed `control` a
    little without any matching: heads of layer 0, which cannot know the symbol
    before another, show by how much.

    `what: ablation` gives `p` (n_counts, n_rows), mean p(target) along the last copy
    when the first `counts` heads of an order give their mean, or zeros (`instead`);
    these counts, at most all heads; and `heads`, the order: for `draw` -1 by falling
    score on other blocks, `repeated` or, where `ranked_by` is "symbols", the largest
    of `around`; else the draw's random one.
    """
    box = WhiteBox(loaded.model, loaded.tokenizer)
    measured = _drawn(loaded, study, job, _MEASURED)
    if job["what"] == "scores":
        first, last = along_copies(box, measured[0])
        return {**_scores(box, *measured), "copying": copying(box, measured[0]), "first": first, "last": last}
    ranking = _drawn(loaded, study, job, _RANKING)
    order = _order(box, ranking, study.seed, int(str(job["draw"])), str(job["ranked_by"]))
    means = _means(box, ranking[0].rows) if job["instead"] == "mean" else {}
    listed = job["counts"]
    assert isinstance(listed, list)
    wanted = [int(str(count)) for count in listed]
    counts = sorted({count for count in wanted if count < len(order)} | {len(order)})
    if len(order) > max(wanted):
        counts.pop()  # a large model: as far as was asked
    p = []
    for count in counts:
        edits = [Ablate(*head, mean=means.get(head)) for head in order[:count]]
        p.append(along_copies(box, measured[0], edits)[1].mean(axis=1))
    return {"p": np.stack(p), "counts": np.array(counts), "heads": np.array(order, dtype=np.int64)}


def written(loaded: LoadedModel, study: WhiteBoxStudy, symbols: Ints, block: int) -> Blocks:
    """Return sequences of symbols as the study writes its own. Raises WhiteBoxError, TokenizationError."""
    template = study.trials[0]
    trials = tuple(
        replace(template, prompt=replace(template.prompt, symbols=tuple(row))) for row in symbols.tolist()
    )
    lengths = range(1, symbols.shape[1])
    rows = token_rows(loaded, replace(study, trials=trials), list(lengths))
    aligned = Aligner(loaded.tokenizer, loaded.max_tokens).align(Request("prefixes", trials[0].prompt, (1,)))
    return Blocks(symbols, block, rows, aligned.symbol_ids)


def along_copies(box: WhiteBox, blocks: Blocks, edits: Seq[Ablate] = ()) -> tuple[Floats, Floats]:
    """Return p(target), renormalised over the symbols, along the first and the last copy: (n_rows, block - 1) each.

    The first symbol of each is left out: nothing before the second copy says that it begins.
    """
    log_p = np.stack(box.log_probs(blocks.rows, blocks.symbol_ids, positions="contexts", interventions=edits))
    log_p -= np.logaddexp.reduce(log_p, axis=-1, keepdims=True)
    targets = blocks.symbols[:, 1:]  # of the contexts 1, 2, ..
    p = np.exp(np.take_along_axis(log_p, targets[..., None], axis=-1))[..., 0]
    return p[:, : blocks.block - 1], p[:, blocks.start :]


def copying(box: WhiteBox, blocks: Blocks) -> Floats:
    """Return the copying score (n_layers, n_heads) along the last copy; NaN where heads cannot be told apart.

    A head's contribution is its direct effect: the logits, less those without
    what it adds to the stream, by the model's own norm and head.
    """
    part = blocks.rows.part(range(min(_COPYING_ROWS, len(blocks.rows))))
    kept = blocks.contexts - 1
    final = box.captured(part, [Site(box.n_layers - 1, "output", "contexts")])[:, 0][:, kept]
    whole = box.lens(final, blocks.symbol_ids)
    patterns = list(attention_patterns(box, part))
    layers = patterns[0][1]
    taken = np.stack([_by_symbol(weights, blocks, row) for row, _, weights in patterns])
    scores = np.full((len(layers), box.n_heads), np.nan)
    for k, layer in enumerate(layers):
        outputs = box.captured(part, [Site(layer, "heads", "contexts")])[:, 0][:, kept]
        outputs = outputs.reshape(*outputs.shape[:2], box.n_heads, -1)
        for head in range(box.n_heads):
            try:
                added = projected(box, layer, head, outputs[:, :, head])
            except WhiteBoxError:  # a norm behind the projection: no vector stands for one head
                return scores
            without = box.lens(final - added, blocks.symbol_ids)
            shares = raised_share(whole - without, taken[:, k, head])
            scores[k, head] = np.nanmean(shares) if np.isfinite(shares).any() else np.nan
    return scores


def _drawn(loaded: LoadedModel, study: WhiteBoxStudy, job: Job, stream: int) -> tuple[Blocks, Blocks]:
    """Return repeated and reordered blocks."""
    n_rows, block, copies = (int(str(job[name])) for name in ("rows", "block", "copies"))
    rng = np.random.default_rng([study.seed, stream])
    repeated, reordered = draw_blocks(n_rows, block, copies, len(study.trials[0].prompt.surfaces), rng)
    return written(loaded, study, repeated, block), written(loaded, study, reordered, block)


def _scores(box: WhiteBox, repeated: Blocks, reordered: Blocks) -> dict[str, np.ndarray]:
    scores, layers, uniform = _repeated(box, repeated)
    same = followers(
        repeated.symbols[0], repeated.block
    )  # the places of every row: its block is all different
    offsets = [k for k in OFFSETS if abs(k) <= reordered.start // 2]  # at most half the places fall outside
    matched, distance, pairs = [], [], []
    other, n_other = np.zeros(()), np.zeros(same.shape)  # attention to places that match nothing
    for row, _, weights in attention_patterns(box, reordered.rows):
        symbols = reordered.symbols[row]
        taken, wanted = attention_by_place(weights, reordered, row), followers(symbols, reordered.block)
        own = symbols[reordered.start : -1, None] == symbols[:-1]  # what follows a symbol is never itself
        unmatched = ~wanted & ~own
        around = [moved(wanted, offset, reordered.start) for offset in offsets]
        pairs.append(around)
        matched.append([prefix_matching(taken, places) for places in around])
        distance.append(prefix_matching(taken, same & ~(same & wanted).any(axis=1, keepdims=True)))
        other, n_other = other + taken * unmatched, n_other + unmatched
    even = other / np.maximum(n_other, 1)
    control = [[prefix_matching(even, places) for places in around] for around in pairs]
    excess = np.stack(matched) - np.stack(control)  # (n_rows, n_offsets, n_layers, n_heads)
    at = offsets.index(0)
    found = _mean([m[at] for m in matched])
    return {
        "layers": np.array(layers),
        "repeated": scores,
        "distance": _mean(distance),
        "reordered": found,
        "control": found - _mean(list(excess[:, at])),
        "error": np.nanstd(excess[:, at], axis=0, ddof=1) / np.sqrt(len(excess)),
        "offsets": np.array(offsets),
        "around": np.stack([_mean(list(excess[:, k])) for k in range(len(offsets))]),
        "uniform": np.array(uniform),
    }


def _repeated(box: WhiteBox, blocks: Blocks) -> tuple[Floats, tuple[int, ...], float]:
    """Return the prefix-matching score of each head, the layers, and the score of even attention."""
    scores, uniform = [], []
    layers: tuple[int, ...] = ()
    for row, layers, weights in attention_patterns(box, blocks.rows):  # noqa: B007 the same each time
        wanted = followers(blocks.symbols[row], blocks.block)
        scores.append(prefix_matching(attention_by_place(weights, blocks, row), wanted))
        n = weights.shape[-1]
        even = np.tril(np.ones((n, n))) / np.arange(1, n + 1)[:, None]
        uniform.append(float(prefix_matching(attention_by_place(even, blocks, row), wanted)))
    return np.mean(scores, axis=0), layers, float(np.mean(uniform))


def _mean(values: Seq[Floats]) -> Floats:
    """Return the mean over rows that have a value; NaN where none has."""
    kept = [v for v in values if not np.isnan(v).all()]
    return np.mean(kept, axis=0) if kept else values[0]


def _by_symbol(weights: Floats, blocks: Blocks, row: int) -> Floats:
    """Return the attention to each symbol wherever it stands: (n_layers, n_heads, block - 1, n_alphabet)."""
    taken = attention_by_place(weights, blocks, row)
    which = np.eye(len(blocks.symbol_ids))[blocks.symbols[row, :-1]]
    return np.asarray(taken @ which)


def _order(box: WhiteBox, ranking: tuple[Blocks, Blocks], seed: int, draw: int, ranked_by: str) -> list[Head]:
    """Return all heads, the highest score first, or in a random order."""
    layers = [k for k, joined in enumerate(box.anatomy.outputs) if joined is not None]
    heads = [(layer, head) for layer in layers for head in range(box.n_heads)]
    if draw >= 0:
        rng = np.random.default_rng([seed, _ORDERS, draw])
        return [heads[k] for k in rng.permutation(len(heads))]
    if ranked_by == "symbols":
        score = np.nanmax(_scores(box, *ranking)["around"], axis=0)
    else:
        score = _repeated(box, ranking[0])[0]
    return [heads[k] for k in np.argsort(-score.ravel(), kind="stable")]


def _means(box: WhiteBox, rows: TokenRows) -> dict[Head, np.ndarray]:
    """Return the mean output of every head over all tokens."""
    means: dict[Head, np.ndarray] = {}
    for layer, joined in enumerate(box.anatomy.outputs):
        if joined is not None:
            values = box.captured(rows, [Site(layer, "heads")], reduce="mean")[:, 0].mean(axis=0)
            split = values.reshape(box.n_heads, -1)
            means |= {(layer, head): split[head] for head in range(box.n_heads)}
    return means
