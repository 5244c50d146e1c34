"""The figure of what was written against what was asked for."""

from collections.abc import Sequence

from harness.reporting.drawing import BROWN, FAILED, FAINT, MODEL, PLACE, VIOLET, Frame, Size, printable
from harness.types import ShareCurve

SHARES: Size = (5.2, 3.1)
_COLOURS, _MARKERS = (MODEL, PLACE, FAILED, BROWN, VIOLET), ("o", "s", "^", "D", "v")


def draw_shares(frame: Frame, group: Sequence[ShareCurve]) -> None:
    """Draw the share of a symbol against the probability asked for, a line for each number of given symbols."""
    axes = frame.axes(0.55, 0.5, frame.width - 2.0, frame.height - 0.7)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1.0, dashes=(4, 2))
    for k, curve in enumerate(group):
        colour, marker = _COLOURS[k % len(_COLOURS)], _MARKERS[k % len(_MARKERS)]
        for x, low, high in zip(curve.probability, curve.low, curve.high, strict=True):
            axes.plot([x, x], [low, high], color=colour, linewidth=1.0)
        axes.plot(curve.probability, curve.mean, marker=marker, color=colour, ms=4, linewidth=0.9)
        y = 0.98 - 0.085 * k
        axes.plot([1.05], [y], marker, color=colour, ms=4, transform=axes.transAxes, clip_on=False)
        axes.text(
            1.08, y, f"{curve.context_length} given", transform=axes.transAxes, color=colour, va="center"
        )
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(printable(f"probability asked for, of {group[0].symbol}", 60))
    axes.set_ylabel("share written")
