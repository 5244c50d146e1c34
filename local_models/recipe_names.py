"""Recipes by name: `induction`, or with options `markov-mixture?chains=64`."""

import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

from harness.errors import SpecError, UnknownName, suggestion
from harness.local_models.recipe import Recipe
from harness.local_models.training_loop import OnProgress

_RECIPES = "harness.local_models.recipes"


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """A finished training run."""

    directory: (
        Path  # final weights, unless its recipe says otherwise; earlier ones in its step-XXXXXX folders
    )
    steps: int
    losses: tuple[float, ...]  # of each step before its update, in the unit that its card states
    seconds: float  # wall clock, over all sessions


class Train(Protocol):
    """What a recipe that is no `Recipe` offers as `train`, with options of its own as keywords."""

    def __call__(
        self, out_dir: Path, *, seed: int, steps: int | None, device: str, on_progress: OnProgress | None
    ) -> TrainingResult:
        """Train into `out_dir`; a killed run goes on when it is called again."""


def recipe_names() -> list[str]:
    """Return the names of all recipes."""
    found = pkgutil.iter_modules(import_module(_RECIPES).__path__)
    return sorted(m.name.replace("_", "-") for m in found if not m.name.startswith("_"))


def load_recipe(name: str) -> Recipe:
    """Return the recipe of this name, its options filled in.

    Raises UnknownName with a suggestion, and SpecError for options it does not
    have or for a recipe that trains another kind of model by itself.
    """
    module, written = _module(name)
    if hasattr(module, "train"):
        raise SpecError(f"recipe {name!r} is no sequence of characters: train it with `icl train {name}`")
    if hasattr(module, "recipe"):
        make = cast(Callable[..., Recipe], module.recipe)
        return make(**_options(make, written, name))
    if written:
        raise SpecError(f"recipe {name.partition('?')[0]!r} has no options; leave out {'?' + written!r}")
    return cast(Recipe, module.RECIPE)


def own_training(name: str) -> Callable[..., TrainingResult] | None:
    """Return the `train` of a recipe that brings one (see `Train`), its options filled in; else None."""
    module, written = _module(name)
    if not hasattr(module, "train"):
        return None
    train = cast(Callable[..., TrainingResult], module.train)
    options = _options(train, written, name)

    def run(out_dir: Path, **how: object) -> TrainingResult:
        return train(out_dir, **how, **options)

    return run


def _module(name: str) -> tuple[ModuleType, str]:
    base, _, written = name.partition("?")
    if base not in recipe_names():
        raise UnknownName(f"no recipe {base!r}{suggestion(base, recipe_names())}")
    return import_module(f"{_RECIPES}.{base.replace('-', '_')}"), written


def _options(make: Callable[..., object], written: str, name: str) -> dict[str, int | float]:
    """Return the options written as `a=1&b=0.5`, typed like the defaults they replace."""
    defaults = {
        p.name: p.default
        for p in inspect.signature(make).parameters.values()
        if isinstance(p.default, int | float) and not isinstance(p.default, bool)
    }
    options: dict[str, int | float] = {}
    for part in written.split("&") if written else ():
        key, _, value = part.partition("=")
        if key not in defaults:
            raise SpecError(f"recipe {name!r}: no option {key!r}{suggestion(key, defaults)}")
        kind = type(defaults[key])
        try:
            options[key] = kind(value)
        except ValueError as error:
            wanted = "an integer" if kind is int else "a number"
            raise SpecError(f"recipe {name!r}: {key}={value!r} must be {wanted}") from error
    return options
