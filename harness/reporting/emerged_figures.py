"""The staircase of information emergence against the token, trained beside untrained."""

import numpy as np

from harness.reporting.drawing import FAINT, IDEAL, MODEL, MUTED, VIOLET, Frame, Size
from harness.reporting.figures import BOTTOM, LEFT, TOP
from harness.types.emergence import EmergenceReading

SIZE: Size = (7.4, 3.4)
_LEGEND = 2.0  # inches to the right of the panel


def draw_staircase(frame: Frame, found: EmergenceReading) -> None:
    """Draw E(l, t) at the last measured block, with the estimates that were asked for."""
    axes = frame.axes(LEFT, BOTTOM, frame.width - LEFT - _LEGEND, frame.height - BOTTOM - TOP)
    layer = found.layers[-1]
    for network, colour, dashes in (("trained", MODEL, (None, None)), ("untrained", IDEAL, (4, 2))):
        cells = found.of(network, layer)
        t = [c.token for c in cells]
        axes.plot(
            t, [c.emergence for c in cells], color=colour, dashes=dashes, drawstyle="steps-post", label=network, lw=1.6
        )  # fmt: skip
        held = [
            (c.token, c.held_out - c.micro, c.held_out_error or 0.0) for c in cells if c.held_out is not None
        ]
        if held:
            x, y, error = np.array(held).T
            axes.errorbar(
                x, y, 1.96 * error, fmt="o", color=colour, ms=4, mfc="none", lw=0.9, label=f"held-out, {network}"
            )  # fmt: skip
        published = [(c.token, c.faithful_emergence) for c in cells if c.faithful_emergence is not None]
        if published and network == "trained":
            axes.plot(*zip(*published, strict=True), "x", color=VIOLET, ms=5, label="published rule")
    axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
    ceilings = [c.ceiling - c.micro for c in found.of("trained", layer) if c.ceiling is not None]
    if ceilings:
        axes.axhline(min(ceilings), color=MUTED, linewidth=0.8, dashes=(1, 2), label="log2 of the pairs read")
    axes.set_xlabel(f"token t (block {layer})")
    axes.set_ylabel("E(l, t) (bits)")
    axes.set_xticks([c.token for c in found.of("trained", layer)])
    axes.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1.02, 1.0))
