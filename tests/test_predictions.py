"""From a run to arrays, and from those to the observer that a model behaves like."""

from pathlib import Path

import numpy as np
import pytest

from harness.cognitive import mixture_weights
from harness.execute import RunOptions, execute
from harness.runs import open_run
from harness.suite_files import parse_suite

SUITE = """\
name: laws
seed: 6
models: ["mock/observer?family=periodic&name={name}{ways}"]
tasks:
  - family: periodic
    params: {{period: 4, symbols: binary}}
    context_lengths: [0, 2, 4, 8, 12, 16]
    sequences: 20
    nested: {nested}
    render: {{counterbalance: true}}
"""


@pytest.mark.parametrize("name", ["period", "kt"])
@pytest.mark.parametrize("nested", ["true", "false"])
def test_a_model_that_is_an_observer_is_found_to_be_it(tmp_path: Path, name: str, nested: str) -> None:
    text = SUITE.format(name=name, ways="", nested=nested)
    execute(parse_suite(text, "laws"), RunOptions(out=tmp_path / "run"))
    (seen,) = open_run(tmp_path / "run").predictions()
    assert (seen.alphabet, list(seen.observers)) == (("0", "1"), ["period", "kt"])
    assert seen.law.shape == (20, 6, 2)
    np.testing.assert_allclose(seen.law, seen.observers[name], atol=1e-6)
    assert set(np.unique(seen.target)) == {0, 1}
    mixture = mixture_weights(
        seen.law, seen.observers, context_lengths=seen.context_lengths, rng=np.random.default_rng(0), draws=50
    )
    own = list(seen.observers).index(name)
    # At 0 the two say the same, so that their weights are not determined; from 8 on they differ.
    assert (mixture.weights[3:, own] > 0.99).all()


def test_conditions_of_drawn_symbols_have_no_laws(tmp_path: Path) -> None:
    text = SUITE.format(name="kt", ways="&ways=samples", nested="true")
    execute(parse_suite(text, "laws"), RunOptions(out=tmp_path / "run"))
    assert open_run(tmp_path / "run").predictions() == []
