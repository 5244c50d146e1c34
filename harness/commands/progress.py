"""How a run stands while it goes on: a bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from harness.commands.display import say
from harness.runner import Tally

_LINE_EVERY_S = 10.0
_RATE_OVER_S = 30.0  # seconds that the shown rate looks back over


@contextmanager
def progress(console: Console) -> Iterator[Callable[[Tally], None]]:
    """Show how a run stands; yields what to call when it changes."""
    if not console.is_terminal:
        yield _line_printer(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("asking", total=None, note="")
        rate = Rate()

        inside = bar.add_task("looking inside", total=None, visible=False, note="")
        speed = Rate()

        def tick(tally: Tally) -> None:
            bar.update(task, total=tally.total, completed=tally.done, note=note(tally, rate.of(tally)))
            if tally.measured:
                left = _left(tally, speed)
                total, done = tally.measurements, tally.measured
                bar.update(inside, visible=True, note=left, total=total, completed=done)

        yield tick


def note(tally: Tally, per_s: float | None) -> str:
    """Return rate, time left, spend against the cap and failures by kind, in words."""
    words = []
    if per_s:
        left = max(0, tally.total - tally.done - tally.batched)
        words.append(f"{per_s:.3g}/s, {duration(left / per_s)} left")
    cap = "" if tally.cap_usd is None else f" of {tally.cap_usd:.2f}"
    words.append(f"{tally.spent_usd:.2f}{cap} USD")
    words += [f"{count} {kind}" for kind, count in sorted(tally.failed.items())]
    return ", ".join(words)


class Rate:
    """What is settled a second over the last half minute; what was stored before does not count."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: list[tuple[float, int]] = []

    def of(self, tally: Tally) -> float | None:
        """Return the rate of requests now, None before anything can be said."""
        return self.at(tally.done - tally.stored)

    def at(self, asked: int) -> float | None:
        """Return the rate of what `asked` counts, None before anything can be said."""
        t = self._now()
        if not self._seen or t - self._seen[-1][0] >= _RATE_OVER_S / 60:
            self._seen.append((t, asked))
            while t - self._seen[0][0] > _RATE_OVER_S:
                self._seen.pop(0)
        since, before = self._seen[0]
        return (asked - before) / (t - since) if t > since and asked > before else None


def duration(seconds: float) -> str:
    """Return a length of time in one or two units, e.g. "3 min 20 s"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"


def _left(tally: Tally, rate: Rate) -> str:
    """Return the time that the measurements inside still take, in words."""
    per_s = rate.at(tally.measured)
    return f"{duration((tally.measurements - tally.measured) / per_s)} left" if per_s else ""


def _line_printer(console: Console) -> Callable[[Tally], None]:
    rate, speed = Rate(), Rate()
    last = time.monotonic()

    def tick(tally: Tally) -> None:
        nonlocal last
        per_s = rate.of(tally)
        if time.monotonic() - last >= _LINE_EVERY_S:
            last = time.monotonic()
            if tally.measured:
                left = _left(tally, speed)
                say(console, f"looked inside: {tally.measured} of {tally.measurements}, {left or 'begun'}")
                return
            say(console, f"{tally.done} of {tally.total}, {note(tally, per_s)}")

    return tick
