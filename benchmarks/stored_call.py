"""CPU of one stored call without the network: plan, digest, mock reply, commit, read again; beside a run of prefixes.

python -m benchmarks.stored_call
"""

import tempfile
import time
from pathlib import Path

from harness.execute import RunOptions, execute
from harness.runs import Run
from harness.suite_files import parse_suite

SUITE = """\
name: calls
seed: 1
models: ["mock/logistic?location=8&width=4&ways=next_token"]
tasks:
  - family: bernoulli
    context_lengths: {{log2: [1, 128]}}
    sequences: {sequences}
"""


def main() -> None:
    print("| calls | CPU ms a call, asking and storing | CPU ms a call, reading and analysing |")
    print("|---|---|---|")
    for sequences in (50, 500):
        suite = parse_suite(SUITE.format(sequences=sequences), "calls")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run"
            started = time.process_time()
            outcome = execute(suite, RunOptions(out=path))
            asked = time.process_time() - started
            started = time.process_time()
            curves = Run(path).result.curves
            read = time.process_time() - started
        assert len(curves) == 1
        calls = outcome.tally.answered
        print(f"| {calls} | {1e3 * asked / calls:.2f} | {1e3 * read / calls:.2f} |")


if __name__ == "__main__":
    main()
