"""Information emergence in words, a figure and a table."""

from functools import partial

from harness.reporting.emerged_figures import SIZE, draw_staircase
from harness.reporting.inside import Drawn, Shown
from harness.reporting.numbers import count, number
from harness.types import AnalysisOptions
from harness.types.emergence import EmergenceCell, EmergenceReading
from harness.types.whitebox import WhiteBoxResult

HEADS = (
    "network, layer, token",
    "E",
    "I of the prefix",
    "how",
    "told apart to 1e-3",
    "held-out",
    "InfoNCE",
    "SMILE",
    "published rule",
    "cross-entropy",
)


def shown(result: WhiteBoxResult, options: AnalysisOptions) -> Shown:
    """Return what each block passes on of whole sequences, beside an untrained network."""
    del options  # speaks of no transition
    found = result.findings["emergence"]
    assert isinstance(found, EmergenceReading)
    return Shown(
        title="Information emergence",
        sentences=(_setting(found), _steps(found), *_differences(found), *_coarse(found), _how(found)),
        figures=(
            Drawn(
                "staircase",
                partial(draw_staircase, found=found),
                SIZE,
                f"{result.model}: information emergence by token",
                f"E(l, t) of {found.shots} of {found.entities} distinct entities against the token t, at block "
                f"{found.layers[-1]}: the headline of the trained network (line) and of an untrained one of the same "
                "configuration (dashed), the held-out value (circles), and the published rule (crosses), where asked.",
            ),
        ),
        heads=HEADS,
        rows=tuple(_row(cell) for cell in found.cells if cell.entity),
        cautions=_cautions(found),
    )


def _setting(found: EmergenceReading) -> str:
    apart = f", each followed by {found.separator!r}" if found.separator else ""
    return (
        f"Sequences of {found.shots} of {found.entities} entities, all different and in every order{apart}. E is the "
        "mutual information, in bits, of the last token's state before and after a block over all sequences, less the "
        "mean of the same over its tokens, each alone as a sequence of its own (Chen et al. 2025)."
    )


def _steps(found: EmergenceReading) -> str:
    cells = found.of("trained", found.layers[-1]) or found.cells
    steps = ", ".join(number(c.emergence, 2) for c in cells if c.entity)
    return (
        f"At block {cells[0].layer}, E after each entity is {steps} bits; counting the orders alone gives "
        f"{', '.join(number(c.closed_form - c.micro, 2) for c in cells if c.entity)}."
    )


def _differences(found: EmergenceReading) -> list[str]:
    known = {layer: found.largest_difference(layer) for layer in found.layers}
    words = ", ".join(f"{number(d, 2)} at block {layer}" for layer, d in known.items() if d is not None)
    if not words:
        return []
    return [
        f"The trained network and an untrained one differ in E by at most (bits, over all tokens) {words}."
    ]


def _coarse(found: EmergenceReading) -> list[str]:
    """Return what is left of the information at the last token where states are known less finely."""
    left = [
        f"{number(cells[-1].coarse, 2)} of {number(cells[-1].macro, 2)} bits ({network})"
        for network in ("trained", "untrained")
        if (cells := found.of(network, found.layers[-1])) and cells[-1].coarse is not None
    ]
    if not left:
        return []
    return [
        f"Told apart to a thousandth of their size, as 16-bit floats would, the states of the last token keep "
        f"{' and '.join(left)}: that E agrees says nothing of how far apart the states lie."
    ]


def _how(found: EmergenceReading) -> str:
    ways = {c.headline: c.why for c in found.cells if c.entity}
    return "The value reported: " + "; ".join(f"{how}, where {why}" for how, why in ways.items()) + "."


def _cautions(found: EmergenceReading) -> tuple[str, ...]:
    notes = []
    above = [c for c in found.cells if c.above_ceiling]
    if above:
        ceiling = min(c.ceiling for c in above if c.ceiling is not None)
        notes.append(
            f"{len(above)} held-out values exceed {number(ceiling, 1)} bits, log2 of the pairs they were read on: no "
            "estimate certifies more without knowing the law (McAllester & Stratos 2020)."
        )
    if any(c.faithful is not None for c in found.cells):
        notes.append(
            "The published rule is the largest in-sample value of any epoch; it finds information between independent "
            "states too, and is shown for comparison alone."
        )
    return tuple(notes)


def _row(cell: EmergenceCell) -> tuple[str, ...]:
    return (
        f"{cell.network}, {cell.layer}, {cell.token}",
        number(cell.emergence, 2),
        number(cell.macro, 2),
        f"{cell.headline} ({count(cell.n_prefixes)} prefixes)",
        number(cell.coarse, 2),
        _held_out(cell),
        number(cell.info_nce, 2),
        number(cell.smile, 2),
        number(cell.faithful, 2),
        f"{number(cell.cross_entropy, 2)} ± {number(cell.cross_entropy_error, 2)}",
    )


def _held_out(cell: EmergenceCell) -> str:
    if cell.held_out is None:
        return "n/a"
    above = " (above log2 n)" if cell.above_ceiling else ""
    return f"{number(cell.held_out, 2)} ± {number(cell.held_out_error, 2)}{above}"
