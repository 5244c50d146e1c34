"""What was said of each curve of a run, kept beside the run so that it is worked out once.

A judgment is found by the digest of everything it depends on: the numbers of
the curve, the options and the code of whoever judges. A file that cannot be read
or written is no loss: the curves are judged again.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, astuple
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from harness.analysis import beyond, excess_delay, transition
from harness.types import (
    AnalysisOptions,
    Changepoint,
    Cognition,
    CountCurve,
    Curve,
    Delay,
    Floats,
    Ints,
    SequenceCurve,
    Transition,
)

_FILE = "judgments.json"
T = TypeVar("T")


class Judgments:
    """The analyzer with a memory; without a directory it remembers nothing."""

    def __init__(self, run_dir: Path | None) -> None:
        self._path = None if run_dir is None else run_dir / _FILE
        self._known: dict[str, Any] = {}
        self._new = False
        if self._path is not None:
            with suppress(OSError, ValueError):
                known = json.loads(self._path.read_text(encoding="utf-8"))
                self._known = known if isinstance(known, dict) else {}

    def transition(self, curve: Curve, options: AnalysisOptions) -> Transition:
        """Judge one curve."""
        return self._recall(
            _key("transition", options, curve), lambda: transition(curve, options=options), _transition
        )

    def beyond(self, curve: SequenceCurve, baseline: SequenceCurve, options: AnalysisOptions) -> Transition:
        """Judge the excess of a curve over an observer."""
        key = _key("beyond", options, curve, baseline)
        return self._recall(key, lambda: beyond(curve, baseline, options=options), _transition)

    def delay(self, curve: Curve, observer: SequenceCurve, options: AnalysisOptions) -> Delay:
        """Measure how much later a curve is half-way than an observer."""
        key = _key("delay", options, curve, observer)
        return self._recall(
            key,
            lambda: excess_delay(curve, observer, options=options, name=observer.name),
            lambda d: Delay(**d),
        )

    def cognition(
        self, words: Sequence[str], arrays: Sequence[Floats | Ints], explain: Callable[[], Cognition]
    ) -> Cognition:
        """Explain predictions; `words` and `arrays` are everything that the explanation depends on."""
        digest = hashlib.sha256(f"cognition {list(words)!r} {_code('harness.cognitive')}".encode())
        digest.update(resources.files("harness").joinpath("cognition.py").read_bytes())
        for array in arrays:
            digest.update(f"{array.shape!r}".encode())
            digest.update(array.tobytes())
        return self._recall(digest.hexdigest(), explain, _cognition)

    def finding(
        self, kind: type[T], options: AnalysisOptions, curves: Sequence[Curve], find: Callable[[], T | None]
    ) -> T | None:
        """Return what is found of curves as a record of `kind`, or None where there is nothing to find."""
        key = _key(kind.__name__, options, *curves)
        if key in self._known:
            held = self._known[key]
            with suppress(TypeError, KeyError, ValueError):
                return None if held is None else _record(kind, held)
        found = find()
        self._known[key] = None if found is None else asdict(found)  # type: ignore[call-overload]
        self._new = True
        return found

    def save(self) -> None:
        """Write what is new, if there is anything and a place for it."""
        if self._path is None or not self._new:
            return
        with suppress(OSError):
            part = self._path.with_suffix(".part")
            part.write_text(json.dumps(self._known), encoding="utf-8")
            part.replace(self._path)

    def _recall(self, key: str, judge: Callable[[], T], read: Callable[[dict[str, Any]], T]) -> T:
        if key in self._known:
            with suppress(TypeError, KeyError, ValueError):
                return read(self._known[key])
        found = judge()
        self._known[key] = asdict(found)  # type: ignore[call-overload]
        self._new = True
        return found


def _transition(data: dict[str, Any]) -> Transition:
    values = dict(data)
    values["options"] = AnalysisOptions(**values["options"])
    values["changes"] = tuple(Changepoint(**change) for change in values["changes"])
    values["warnings"], values["fit"] = tuple(values["warnings"]), tuple(values["fit"])
    return Transition(**values)


def _cognition(data: dict[str, Any]) -> Cognition:
    return _record(Cognition, data)


def _record(kind: type[T], data: dict[str, Any]) -> T:
    from pydantic import TypeAdapter  # it makes nested records of what JSON holds

    return TypeAdapter(kind).validate_python(data)


def _key(kind: str, options: AnalysisOptions, *curves: Curve) -> str:
    digest = hashlib.sha256(f"{kind} {astuple(options)!r} {_code('harness.analysis')}".encode())
    for curve in curves:
        numbers = (curve.successes, curve.trials) if isinstance(curve, CountCurve) else (curve.p,)
        ids = () if isinstance(curve, CountCurve) else curve.sequence_ids
        digest.update(f"{curve.name!r} {ids!r} {numbers[0].shape!r}".encode())
        for array in (curve.level, *numbers):
            digest.update(array.tobytes())
    return digest.hexdigest()


@cache
def _code(package: str) -> str:
    """Return the sha256 of a package's code: other code may judge otherwise."""
    files = [f for f in resources.files(package).iterdir() if f.name.endswith(".py")]
    code = b"".join(f.read_bytes() for f in sorted(files, key=lambda f: f.name))
    return hashlib.sha256(code).hexdigest()
