"""CPU of one stored and scored call: without the network through a mock, and as `icl run` through HTTP.

python -m benchmarks.stored_call

The HTTP part runs whole processes of `icl run` with the `openai-api` adapter against a stub in another process, each
call one log-probability request, stored and scored. (CPU(2000 calls) - CPU(504 calls)) / 1496 leaves out start-up,
probing and what the analysis costs whatever the number of calls. Target: 1.0 ms.
"""

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks._fault_runs import LEVELS, Site, serving, suite_text
from benchmarks._fault_server import Behaviour
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
SHORT, LONG = 63, 250  # sequences
REPEATS = 3


def main() -> None:
    through_mock()
    print()
    through_http()


def through_mock() -> None:
    """Print the CPU of planning, digest, mock reply and commit, and of reading and analysing again."""
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


def through_http() -> None:
    """Print the CPU that a call adds to a whole run over HTTP."""
    print(
        "| in flight | CPU s, 504 calls | CPU s, 2000 calls | CPU ms a stored and scored call | wall s, 2000 calls |"
    )
    print("|---|---|---|---|---|")
    for connections in (16, 64):
        short, _ = _run(SHORT, connections)
        long, wall = _run(LONG, connections)
        calls = (LONG - SHORT) * len(LEVELS)
        per_call = 1e3 * (long - short) / calls
        print(f"| {connections} | {short:.2f} | {long:.2f} | {per_call:.2f} | {wall:.1f} |", flush=True)


def _run(sequences: int, connections: int) -> tuple[float, float]:
    """Return the median CPU and wall seconds of a run over HTTP."""
    cpu, wall = [], []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder, serving(Behaviour()) as server:
            site = Site(Path(folder), server, connections)
            (site.folder / "suite.yaml").write_text(suite_text(("top",), sequences))
            ended = site.run()
            assert ended.status == 0, ended.err
            cpu.append(ended.cpu_s)
            wall.append(ended.wall_s)
    return statistics.median(cpu), statistics.median(wall)


if __name__ == "__main__":
    main()
