"""The next d symbols: products of single probabilities, in the phase of the sequence or in any."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from harness.errors import ModelError, SpecError
from harness.execute import RunOptions, execute
from harness.expansion import expand
from harness.registry import load_family
from harness.runs import open_run
from harness.suite_files import parse_suite
from harness.types import CurveResult, SequenceCurve

SUITE = """\
name: next
seed: 5
models: ["mock/observer?family=periodic&max_period=6{ways}"]
tasks:
  - family: periodic
    params: {{period: 3, symbols: binary, max_period: 6}}
    context_lengths: [0, 1, 2, 4, 7, 12]
    sequences: 8
    readout: continuation
    depth: {depth}
    phase: {phase}
    nested: {nested}
    controls: [shuffle]
"""


def measured(
    out: Path, *, ways: str = "", depth: int = 3, phase: str = "same", nested: str = "true"
) -> list[CurveResult]:
    suite = parse_suite(SUITE.format(ways=ways, depth=depth, phase=phase, nested=nested), "next")
    assert execute(suite, RunOptions(out=out)).exit_status == 0
    return list(open_run(out).result.curves)


def by_hand(prefix: list[int], blocks: list[tuple[int, ...]]) -> float:
    """The observer's probability that what follows is one of the blocks, symbol by symbol."""
    family = load_family("periodic")
    total = 0.0
    for block in blocks:
        symbols = np.array([*prefix, *block])
        law = family.observe(symbols, ("0", "1"), period=3, max_period=6)["period"]
        total += float(np.prod([law[len(prefix) + j, s] for j, s in enumerate(block)]))
    return total


@pytest.mark.parametrize("ways", ["", "&ways=next_token"])
@pytest.mark.parametrize("nested", ["true", "false"])
@pytest.mark.parametrize("phase", ["same", "any"])
def test_a_continuation_is_the_product_along_it_summed_over_the_phases(
    tmp_path: Path, ways: str, nested: str, phase: str
) -> None:
    curve = measured(tmp_path / "run", ways=ways, phase=phase, nested=nested)[0]
    suite = parse_suite(SUITE.format(ways=ways, depth=3, phase=phase, nested=nested), "next")
    condition = expand(suite)[0]
    assert isinstance(curve.curve, SequenceCurve)
    for row in range(8):
        for column, n in enumerate(condition.context_lengths):
            sequence = condition.sequence(row, None if nested == "true" else n)
            drawn = sequence.symbols.tolist()
            same = tuple(drawn[n : n + 3])
            pattern = drawn[:3]
            windows = sorted({tuple(pattern[i:] + pattern[:i]) for i in range(3)})
            expected = by_hand(drawn[:n], [same] if phase == "same" else windows)
            assert curve.curve.p[row, column] == pytest.approx(expected, abs=1e-6)
    assert curve.chance == pytest.approx((1 if phase == "same" else 3) / 8)


def test_the_observer_beside_it_is_asked_the_same_question(tmp_path: Path) -> None:
    for i, phase in enumerate(("same", "any")):
        main, control = measured(tmp_path / str(i), phase=phase)
        assert isinstance(main.curve, SequenceCurve)
        np.testing.assert_allclose(main.observers["period"].p, main.curve.p, atol=1e-6)
        assert (main.mean[-1] > 0.95, control.mean[-1] < 0.6) == (True, True)


def test_all_blocks_together_are_certain() -> None:
    assert by_hand([0, 1, 1], list(product((0, 1), repeat=3))) == pytest.approx(1.0)


def test_what_cannot_be_measured_so_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="multiplies probabilities of single symbols"):
        measured(tmp_path / "draws", ways="&ways=samples")
    coin = SUITE.replace("family: periodic\n", "family: bernoulli\n").replace(
        "{{period: 3, symbols: binary, max_period: 6}}", "{{}}"
    )
    with pytest.raises(SpecError, match="needs a concept whose next symbol is certain"):
        expand(parse_suite(coin.format(ways="", depth=2, phase="any", nested="true"), "coin"))
    with pytest.raises(SpecError, match="depth and phase belong to readout: continuation"):
        parse_suite(
            SUITE.format(ways="", depth=2, phase="same", nested="true").replace(
                "readout: continuation", "readout: next_symbol"
            ),
            "next",
        )
