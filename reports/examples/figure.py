"""Draw the README's figure: one curve of a run, as the report draws it.

python reports/examples/figure.py RUN_DIR OUT.svg
"""

import sys
from functools import partial
from pathlib import Path

import harness as icl
from harness.reporting.drawing import svg
from harness.reporting.figures import draw_curve
from harness.reporting.html import WIDE

TITLE = "periodic, period 3"


def main(run_dir: str, out: str) -> None:
    """Write the figure of the curve called TITLE."""
    curves = icl.open_run(run_dir).result.curves
    (curve,) = [c for c in curves if c.title == TITLE and c.control is None]
    text = svg(
        partial(draw_curve, result=curve),
        WIDE,
        salt="readme",
        title=TITLE,
        description=curve.transition.verdict,
    )
    # Outside a page an SVG must name its namespace, and brings its own paper.
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    alone = f'<svg {spaces} style="background: #fff"'
    Path(out).write_text(text.replace("<svg", alone, 1), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
