"""Names to code: a family, a provider or a suite is found by its file name or entry point.

The core knows none of them by name. Third parties register through the
entry-point group `icl_harness` under `family.NAME` (a module like those in
`prompts/families`) or `provider.NAME` (a module like those in
`harness/adapters`).
"""

import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module, metadata, resources
from importlib.resources.abc import Traversable
from types import ModuleType
from typing import TYPE_CHECKING, cast

from harness.errors import SpecError, UnknownName, suggestion
from harness.types import Failure, Model, Request, Response

if TYPE_CHECKING:
    from harness.prompts.family import Family

_GROUP = "icl_harness"
Reader = Callable[[Request, bytes], Response | Failure]


def family_names() -> list[str]:
    """Return the names of all task families, ours and those of installed packages."""
    return sorted(_names("harness.prompts.families", "family"))


@cache
def load_family(name: str) -> "Family":
    """Return the task family of this name. Raises UnknownName with a suggestion."""
    from harness.prompts.family import Family

    return Family.from_module(name, _load("harness.prompts.families", "family", name, "task family"))


def provider_names() -> list[str]:
    """Return the names of all model providers."""
    return sorted(n.replace("_", "-") for n in _names("harness.adapters", "provider"))


def provider_summary(name: str) -> str:
    """Return the first line of a provider's own words: how its models are named and what it needs."""
    return (_provider(name).__doc__ or "").partition("\n")[0]


def model_names(name: str) -> tuple[str, ...]:
    """Return the models that a name of a suite stands for: itself, or each checkpoint of `provider/DIR@*`.

    Raises SpecError where the provider has no checkpoints, and what it raises where it has none there.
    """
    if not name.endswith("@*"):
        return (name,)
    provider, _, rest = name.partition("/")
    series = getattr(_provider(provider), "series_names", None)
    if series is None:
        raise SpecError(
            f"model {name!r}: {provider} has no checkpoints to list; @* belongs to local/DIR, a training series"
        )
    return tuple(f"{provider}/{member}" for member in series(rest.removesuffix("@*")))


def load_model(name: str) -> Model:
    """Open `provider/name`. Raises UnknownName, or what the provider raises."""
    provider, _, rest = name.partition("/")
    if not rest:
        raise SpecError(f"model {name!r} has no provider; write provider/name, e.g. local/icl-mixture")
    return cast(Model, _provider(provider).open_model(rest))


def load_reader(name: str) -> Reader:
    """Return the function that reads the stored replies of model `provider/name`."""
    return cast(Reader, _provider(name.partition("/")[0]).read)


def suite_names() -> list[str]:
    """Return the names of the suites that ship with the package."""
    return sorted(f.name.removesuffix(".yaml") for f in _suites().iterdir() if f.name.endswith(".yaml"))


def shipped_suite(name: str) -> Traversable:
    """Return the file of a shipped suite. Raises UnknownName with a suggestion."""
    if name not in suite_names():
        raise UnknownName(
            f"no suite {name!r}{suggestion(name, suite_names())}; a path to a .yaml file works too"
        )
    return _suites() / f"{name}.yaml"


def _suites() -> Traversable:
    return resources.files("harness.data") / "suites"


def _provider(provider: str) -> ModuleType:
    return _load("harness.adapters", "provider", provider.replace("-", "_"), "model provider")


@cache
def _entry_points(kind: str) -> dict[str, metadata.EntryPoint]:
    prefix = f"{kind}."
    found = metadata.entry_points(group=_GROUP)
    return {e.name.removeprefix(prefix): e for e in found if e.name.startswith(prefix)}


def _names(package: str, kind: str) -> set[str]:
    ours = {m.name for m in pkgutil.iter_modules(import_module(package).__path__)}
    return {n for n in ours if not n.startswith("_")} | set(_entry_points(kind))


def _load(package: str, kind: str, name: str, words: str) -> ModuleType:
    names = _names(package, kind)
    if name not in names:
        shown = name.replace("_", "-") if kind == "provider" else name
        known = {n.replace("_", "-") for n in names} if kind == "provider" else names
        raise UnknownName(f"no {words} {shown!r}{suggestion(shown, known)}")
    entry = _entry_points(kind).get(name)
    return cast(ModuleType, entry.load()) if entry else import_module(f"{package}.{name}")
