"""Processes of the fault campaign: the stub server, and `icl run` as a user starts it, with what it used."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks._fault_server import MARK, Behaviour, Entry

ROOT = Path(__file__).resolve().parents[1]
CANARY = "canary-3f9c0a7715e24d"  # the key of every run: it must be found nowhere
LEVELS = (32, 40, 48, 56, 64, 80, 96, 112)  # so long that no two sequences share a context


@dataclass(frozen=True, slots=True)
class Server:
    """A running stub by its address."""

    root: str

    def journal(self) -> list[Entry]:
        """Return every request so far."""
        return [Entry(*row) for row in self._get("/control/journal")]  # type: ignore[attr-defined]

    def arrived(self) -> int:
        """Return how many requests of suites have arrived."""
        count = self._get("/control/arrived")
        assert isinstance(count, int)
        return count

    def aim(
        self,
        pid: int = 0,
        at: int = 0,
        signals: tuple[int, ...] = (),
        delay_s: float = 0.0,
        apart_s: float = 0,
    ) -> None:
        """Begin a new segment; send the signals to a process once so many requests have arrived in all."""
        aim = {"pid": pid, "at": at, "signals": signals, "delay_s": delay_s, "apart_s": apart_s}
        request = urllib.request.Request(f"{self.root}/control/aim", json.dumps(aim).encode())
        with _DIRECT.open(request, timeout=30) as reply:
            reply.read()

    def _get(self, path: str) -> object:
        with _DIRECT.open(self.root + path, timeout=60) as reply:
            return json.load(reply)


@dataclass(frozen=True, slots=True)
class Ended:
    """One process of `icl run` that came to its end."""

    status: int  # negative: the signal it died of
    out: str
    err: str
    wall_s: float
    cpu_s: float
    rss_mb: float  # the most it held
    held_mb: tuple[tuple[float, float], ...] = ()  # (seconds, monotonic; what it held then)


@dataclass(frozen=True, slots=True)
class Site:
    """A folder with a suite in it, and the server that its models are at."""

    folder: Path
    server: Server
    connections: int = 64

    @property
    def run_dir(self) -> Path:
        """Where the run is kept."""
        return self.folder / "run"

    def start(self, *options: str, prepare: Callable[[], None] | None = None) -> "subprocess.Popen[bytes]":
        """Start `icl run` with these options besides the suite; output goes to files in the folder.

        `prepare` is called in the child before it becomes a run.
        """
        command = [sys.executable, "-m", "harness", "run", "suite.yaml", "-o", "run"]
        command += ["--max-connections", str(self.connections), *options]
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            return subprocess.Popen(
                command, cwd=self.folder, stdout=out, stderr=err, env=self.environ(), preexec_fn=prepare
            )

    def environ(self) -> dict[str, str]:
        """Return the environment of a run: the address and the key of the stub, one thread."""
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        return os.environ | {
            "FAULTY_BASE_URL": f"{self.server.root}/v1",
            "FAULTY_API_KEY": CANARY,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": path,
        }

    def finish(self, process: "subprocess.Popen[bytes]", started: float, *, patience_s: float = 900) -> Ended:
        """Wait for a process and return how it ended; one that outlives the patience is killed."""
        deadline, held = time.monotonic() + patience_s, []
        while True:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                os.kill(process.pid, signal.SIGKILL)
            held.append((time.monotonic(), _rss_mb(process.pid)))
            time.sleep(0.02)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - started
        out, err = ((self.folder / name).read_text("utf-8", "replace") for name in ("out", "err"))
        cpu = used.ru_utime + used.ru_stime
        return Ended(process.returncode, out, err, wall, cpu, used.ru_maxrss / 1024, tuple(held))

    def run(self, *options: str, patience_s: float = 900) -> Ended:
        """Run to the end, in a segment of its own."""
        self.server.aim()
        started = time.monotonic()
        return self.finish(self.start(*options), started, patience_s=patience_s)

    def run_until(
        self, at: int, *options: str, signals: tuple[int, ...] = (signal.SIGKILL,), delay_s: float = 0.0
    ) -> Ended:
        """Run, with signals sent once so many requests of suites have arrived in all."""
        started = time.monotonic()
        process = self.start(*options)
        self.server.aim(process.pid, at, signals, delay_s, apart_s=0.1)
        return self.finish(process, started)


def _rss_mb(pid: int) -> float:
    """Return what a process holds in memory now, 0 where it cannot be told."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[Server]:
    """Run a stub in a process of its own; it ends with the pipe that holds it open."""
    command = [sys.executable, "-m", "benchmarks._fault_server", json.dumps(asdict(behaviour))]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address, "the stub server did not start; it says why on standard error"
        yield Server(address)
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def suite_text(
    models: tuple[str, ...],
    sequences: int,
    *,
    form: str = "completion",
    levels: tuple[int, ...] = LEVELS,
    samples: int = 8,
    seed: int = 5,
    prices: tuple[float, float] | None = None,
) -> str:
    """Return a suite of coin flips for models of the stub; `prices` are input and output per million tokens."""
    names = ", ".join(f"openai-api/faulty/{model}" for model in models)
    priced = ", ".join(
        f'"openai-api/faulty/{model}": {{input: {prices[0]}, output: {prices[1]}}}'
        for model in models
        if prices is not None
    )
    return f"""\
name: faults
seed: {seed}
models: [{names}]
tasks:
  - family: bernoulli
    params: {{p: 0.5, symbols: binary}}
    context_lengths: {list(levels)}
    sequences: {sequences}
    samples: {samples}
    render: {{template: "{MARK}{{sequence}}", form: {form}}}
budget: {{prices: {{{priced}}}}}
"""


def calls_of(models: tuple[str, ...], sequences: int, levels: tuple[int, ...] = LEVELS) -> int:
    """Return how many calls such a suite makes if none has to be made again."""
    return sum(sequences * (1 if model == "echo" else len(levels)) for model in models)
