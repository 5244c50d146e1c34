"""Induction heads of a study: which measurements it takes, and what they say of heads and behaviour."""

from collections.abc import Mapping, Sequence

import numpy as np

from harness.errors import SpecError
from harness.geometry_spec import InductionSpec
from harness.judgments import Judgments
from harness.types import AnalysisOptions, CurveResult, Floats
from harness.types.induction import Induction
from harness.types.whitebox import Arrays, Job, WhiteBoxStudy

_VERSION = 1  # of what a job measures: another one measures anew
_COUNTS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)  # heads ablated, as far as there are as many
_RANKED = -1  # draw that is no draw


def jobs(asked: InductionSpec, study: WhiteBoxStudy, n_layers: int) -> list[Job]:
    """Return the scores and one ablation curve an order of heads. Raises SpecError."""
    del n_layers
    alphabets = {trial.prompt.surfaces for trial in study.trials}
    n_symbols = len(study.trials[0].prompt.surfaces)
    if len(alphabets) > 1 or asked.block > n_symbols:
        raise SpecError(
            f"whitebox induction: a block of {asked.block} different symbols of one alphabet is needed; this task has "
            f"{len(alphabets)} alphabet(s), the first of {n_symbols} symbols: set block to 3..{n_symbols} or take "
            "other symbols"
        )
    drawn = {"block": asked.block, "copies": asked.copies, "rows": asked.rows, "version": _VERSION}
    found: list[Job] = [{"what": "scores", **drawn}]
    if asked.ablate:
        found += [
            {
                "what": "ablation",
                "draw": draw,
                "ranked_by": asked.ranked_by,
                "instead": asked.instead,
                "counts": [*_COUNTS],
                **drawn,
            }
            for draw in range(_RANKED, asked.draws)
        ]
    return found


def find(
    asked: InductionSpec,
    done: Sequence[tuple[Job, Arrays]],
    study: WhiteBoxStudy,
    behaviour: Mapping[str, CurveResult],
    options: AnalysisOptions,
    judgments: Judgments,
) -> Induction | str:
    """Return the scores of every head, the loss along copies, and ablation curves."""
    del behaviour, options, judgments
    scores = next((a for job, a in done if job["what"] == "scores"), None)
    if scores is None:
        return "the scores of the heads were not yet measured"
    curves = {int(str(job["draw"])): a for job, a in done if job["what"] == "ablation"}
    ranked = curves.pop(_RANKED, None)
    drop = -(np.log(scores["first"]).mean(axis=1) - np.log(scores["last"]).mean(axis=1))
    nothing = np.empty(0)
    return Induction(
        block=asked.block,
        copies=asked.copies,
        rows=asked.rows,
        n_symbols=len(study.trials[0].prompt.surfaces),
        layers=tuple(scores["layers"].tolist()),
        repeated=scores["repeated"],
        distance=scores["distance"],
        reordered=scores["reordered"],
        control=scores["control"],
        error=scores["error"],
        copying=scores["copying"],
        offsets=scores["offsets"],
        around=scores["around"],
        uniform=float(scores["uniform"]),
        first=float(scores["first"].mean()),
        last=float(scores["last"].mean()),
        loss_drop=float(drop.mean()),
        loss_drop_error=_error(drop[None])[0],
        counts=np.empty(0, np.int64) if ranked is None else ranked["counts"],
        order=() if ranked is None else tuple((int(layer), int(head)) for layer, head in ranked["heads"]),
        ranked=nothing if ranked is None else ranked["p"].mean(axis=1),
        ranked_error=nothing if ranked is None else _error(ranked["p"]),
        random=np.stack([a["p"].mean(axis=1) for a in curves.values()]) if curves else np.empty((0, 0)),
        ranked_by=asked.ranked_by,
        instead=asked.instead,
    )


def _error(values: Floats) -> Floats:
    """Return the standard error of the mean of each row."""
    return np.asarray(values.std(axis=1, ddof=1) / np.sqrt(values.shape[1]))
