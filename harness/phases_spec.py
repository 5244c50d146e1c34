"""Which observers a suite may compare the checkpoints of a series with: `phases:` in a task."""

from collections.abc import Iterable

from harness.errors import SpecError, suggestion

UNIFORM = "uniform"  # stands beside a family's observers: the law of a model that has learned nothing


def contenders(asked: Iterable[str] | None, observers: Iterable[str]) -> tuple[str, ...]:
    """Return the names to compare a model with: those asked for, else all observers and the uniform law.

    Raises SpecError for a name that is none of them, one given twice, or fewer than two.
    """
    known = (*observers, UNIFORM)
    if asked is None:
        return known
    names = tuple(asked)
    for name in names:
        if name not in known:
            raise SpecError(f"phases: no observer {name!r}{suggestion(name, known)}")
    if len(set(names)) < len(names):
        raise SpecError(f"phases {list(names)!r} names one twice; name each once")
    if len(names) < 2:
        raise SpecError(f"phases {list(names)!r}: two observers or more are needed to tell which is nearer")
    return names
