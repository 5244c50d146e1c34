"""Each control of a suite says in one word whether the transition survives it."""

from pathlib import Path

import pytest

from harness.errors import SpecError, UnknownName
from harness.execute import RunOptions, execute
from harness.expansion import expand
from harness.runs import open_run
from harness.suite_files import parse_suite

SUITE = """\
name: controls
seed: 2
models: ["mock/observer?family=periodic&max_period=8"]
tasks:
  - family: periodic
    params: {{period: 5, symbols: binary, max_period: 8}}
    context_lengths: {{from: 0, to: 48}}
    sequences: 24
    controls: [{controls}]
"""


def test_what_is_made_of_order_is_gone_without_it_and_kept_under_other_names(tmp_path: Path) -> None:
    controls = '"shuffle", "permute_symbols", "block_shuffle?width=4"'
    execute(parse_suite(SUITE.format(controls=controls), "c"), RunOptions(out=tmp_path / "run"))
    found = {c.control: c for c in open_run(tmp_path / "run").result.curves}
    assert found[None].survives is None
    assert found[None].transition.verdict in ("sharp", "gradual")
    assert (found["shuffle"].survives, found["shuffle"].baseline) == ("no", "kt")
    assert found["block_shuffle?width=4"].baseline == "backoff4"
    kept = found["permute_symbols"]
    assert (kept.survives, kept.beyond) == ("yes", None)
    # The model is the ideal observer itself, and the names of symbols mean nothing to it.
    assert kept.delay is not None
    assert kept.delay.value == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize(
    ("control", "error", "words"),
    [
        ('"shufle"', UnknownName, "shuffle"),
        ('"block_shuffle"', SpecError, "width"),
        ('"truncate?last=4"', SpecError, "set nested: false"),
        ('"swap?at=60"', SpecError, "leaves sequences of up to 60 symbols as they are"),
    ],
)
def test_a_control_that_would_not_do_what_it_says_is_refused(
    control: str, error: type[SpecError], words: str
) -> None:
    with pytest.raises(error, match=words):
        expand(parse_suite(SUITE.format(controls=control), "c"))
