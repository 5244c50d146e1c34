"""A task family's ideal observers as a model: `observer?family=periodic&name=kt&max_period=8`."""

from functools import lru_cache

import numpy as np
import yaml

from harness.errors import UnknownName, suggestion
from harness.types import Floats, Params, Prompt

_LEAST = 1e-12  # what an observer holds impossible is reported as this: log 0 is no JSON


class Observer:
    """Predicts every prompt as one observer of a family does that knows the prefix and nothing else."""

    def __init__(self, family: str, observer: str | None, params: Params) -> None:
        from harness.registry import load_family  # the only adapter that knows families, and only by name

        self._family = load_family(family)
        self._params = self._family.complete(params)
        self._name = observer or self._family.ideal
        self.law = lru_cache(maxsize=64)(self._law)

    def _law(self, prompt: Prompt) -> Floats:
        """Return the next-symbol distribution after every prefix: shape (length + 1, n_symbols)."""
        symbols = np.asarray(prompt.symbols, dtype=np.int64)
        found = self._family.observe(symbols, prompt.written or prompt.surfaces, **self._params)
        if self._name not in found:
            raise UnknownName(
                f"no observer of family {self._family.name} {self._name!r}{suggestion(self._name, found)}"
            )
        law = found[self._name]
        if prompt.footer:  # a question whose second option is that a rule made the sequence
            from harness.prompts.observers import against_random

            by_rule = against_random(symbols, law)
            law = np.stack([1 - by_rule, by_rule], axis=1)
        return np.maximum(law, _LEAST)


def parse_observer(options: dict[str, str]) -> Observer:
    """Return the observer that the options of a mock's name describe; what is not its own is a family parameter."""
    if "family" not in options:
        raise UnknownName("mock/observer needs a family, e.g. mock/observer?family=periodic")
    params = {k: yaml.safe_load(v) for k, v in options.items() if k not in ("family", "name")}
    return Observer(options["family"], options.get("name"), params)
