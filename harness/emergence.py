"""Information emergence of a study's model: which measurements it takes, and which value is the headline.

Chen et al. 2025: E(l, t) = I(h_{l+1}; h_l) after the prefix that ends with token t,
less the mean over all tokens of the same after that token alone. The sequences
are enumerable, so what an estimator says can be compared with the truth.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from harness.emergence_spec import EmergenceSpec
from harness.errors import SpecError
from harness.judgments import Judgments
from harness.types import AnalysisOptions, CurveResult
from harness.types.emergence import EmergenceCell, EmergenceReading, Headline
from harness.types.whitebox import Arrays, Job, WhiteBoxStudy

_VERSION = 1  # of what a job measures: another one measures anew
_NETWORKS = ("trained", "untrained")


def jobs(asked: EmergenceSpec, study: WhiteBoxStudy, n_layers: int) -> list[Job]:
    """Return one measurement a block, network and token. Raises SpecError for a layer the model lacks."""
    del study
    layers = list(range(n_layers)) if asked.layers == "all" else list(asked.layers)
    if max(layers) >= n_layers:
        raise SpecError(
            f"whitebox emergence: layer {max(layers)} is not in 0..{n_layers - 1}, the blocks of this model"
        )
    return [
        {
            "layer": layer,
            "network": network,
            "token": token,
            "entities": [*asked.entities],
            "separator": asked.separator,
            "shots": asked.shots,
            "n": asked.n,
            "estimators": [*asked.estimators],
            "version": _VERSION,
        }
        for layer in sorted(layers)
        for network in _NETWORKS
        for token in range(_n_tokens(asked))
    ]


def find(
    asked: EmergenceSpec,
    done: Sequence[tuple[Job, Arrays]],
    study: WhiteBoxStudy,
    behaviour: Mapping[str, CurveResult],
    options: AnalysisOptions,
    judgments: Judgments,
) -> EmergenceReading | str:
    """Return every block of which all tokens were measured, the trained network beside the untrained one."""
    del study, behaviour, options, judgments
    table: dict[tuple[int, str], dict[int, dict[str, float]]] = {}
    for job, arrays in done:
        at = int(str(job["layer"])), str(job["network"])
        table.setdefault(at, {})[int(str(job["token"]))] = {k: float(v) for k, v in arrays.items()}
    cells: list[EmergenceCell] = []
    for (layer, network), rows in sorted(table.items()):
        if len(rows) == _n_tokens(asked):
            cells += _cells(asked, layer, network, [rows[t] for t in range(len(rows))])
    if not cells:
        return "no block was yet measured at every token, which the mean over tokens needs"
    return EmergenceReading(
        entities=len(asked.entities),
        shots=asked.shots,
        separator=asked.separator,
        n=asked.n,
        cells=tuple(cells),
    )


def _n_tokens(asked: EmergenceSpec) -> int:
    return asked.shots * (1 + bool(asked.separator))


def _cells(
    asked: EmergenceSpec, layer: int, network: str, rows: Sequence[Mapping[str, float]]
) -> list[EmergenceCell]:
    micro = float(np.mean([row["micro"] for row in rows]))
    published = float(np.mean([row["micro_faithful"] for row in rows]))
    step = 1 + bool(asked.separator)
    return [_cell(layer, network, t, t % step == 0, row, micro, published) for t, row in enumerate(rows)]


def _cell(
    layer: int, network: str, t: int, entity: bool, row: Mapping[str, float], micro: float, published: float
) -> EmergenceCell:
    known = {name: None if np.isnan(value) else value for name, value in row.items()}
    macro, headline, why = _headline(row)
    faithful = known["faithful"]
    return EmergenceCell(
        network=network,
        layer=layer,
        token=t,
        entity=entity,
        macro=macro,
        headline=headline,
        why=why,
        micro=micro,
        emergence=macro - micro,
        closed_form=row["closed_form"],
        n_prefixes=int(row["n_prefixes"]),
        plug_in=known["plug_in"],
        coarse=known["coarse"],
        distinct=None if known["plug_in"] is None else (int(row["distinct_in"]), int(row["distinct_out"])),
        held_out=known["held_out"],
        held_out_error=known["held_out_error"],
        info_nce=known["info_nce"],
        smile=known["smile"],
        ceiling=known["ceiling"],
        faithful=faithful,
        faithful_emergence=None if faithful is None else faithful - published,
        cross_entropy=row["cross_entropy"],
        cross_entropy_error=row["cross_entropy_error"],
    )


def _headline(row: Mapping[str, float]) -> tuple[float, Headline, str]:
    """Return the macro term to report, how it was found and why so: exact first, then counted, then read."""
    if not np.isnan(row["plug_in"]):
        return row["plug_in"], "plug-in", "all prefixes were run: exact, up to the rounding of states"
    if not row["shared"]:
        return row["closed_form"], "closed form", "no two of the prefixes that were run share a state"
    if np.isnan(row["held_out"]):
        return (
            row["closed_form"],
            "upper bound",
            "some of the prefixes that were run share a state, and no held-out value was asked for",
        )
    carried = row["info_nce"] - 2 * row["held_out_error"] <= row["held_out"] <= row["ceiling"]
    why = "some of the prefixes that were run share a state, so it is read on held-out pairs"
    if carried:
        return row["held_out"], "held-out", why
    return (
        row["info_nce"],
        "held-out",
        f"{why}, by the contrastive bound, for these pairs cannot carry the other",
    )
