"""Cognitive models by name, as a suite writes them: a name, or a name with an option as in "markov?order=2"."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from harness.cognitive.coins import Alternation, DiscountedFilter, WindowAverage
from harness.cognitive.concepts import RepeatMixture, Selection
from harness.cognitive.markov import Markov, bernoulli
from harness.cognitive.model import CognitiveModel
from harness.errors import SpecError, UnknownName, suggestion


@dataclass(frozen=True, slots=True)
class _Kind:
    """A cognitive model before its option and its number of symbols are known."""

    make: Callable[[str, int], CognitiveModel]  # from the option's value ("" if not given) and n_symbols
    option: str = ""  # its only option
    pattern: str = ""  # what the whole value of the option must match
    example: str = ""  # a value, for errors
    required: bool = False
    binary: bool = True  # whether it is of two symbols alone


def _window(value: str, _: int) -> CognitiveModel:
    return WindowAverage((int(value),)) if value else WindowAverage()


def _repeat(selection: Selection) -> Callable[[str, int], CognitiveModel]:
    def make(value: str, _: int) -> CognitiveModel:
        return RepeatMixture(tuple(tuple(map(int, word)) for word in value.split(",")), selection)

    return make


_WORDS = r"[01]+(,[01]+)*"
_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "alternation": _Kind(lambda _, __: Alternation()),
        "bernoulli": _Kind(lambda _, m: bernoulli(m), binary=False),
        "discounted_filter": _Kind(lambda _, __: DiscountedFilter()),
        "markov": _Kind(
            lambda value, m: Markov(int(value), m), "order", "[1-9][0-9]?", "2", required=True, binary=False
        ),
        "repeat_average": _Kind(_repeat("average"), "concepts", _WORDS, "01,011", required=True),
        "repeat_map": _Kind(_repeat("map"), "concepts", _WORDS, "01,011", required=True),
        "repeat_tempered": _Kind(_repeat("tempered"), "concepts", _WORDS, "01,011", required=True),
        "window_average": _Kind(_window, "width", "[1-9][0-9]{0,3}", "5"),
    }
)


def model_names() -> tuple[str, ...]:
    """Return the names of all cognitive models, without options."""
    return tuple(sorted(_KINDS))


def named_models(texts: Sequence[str], n_symbols: int) -> tuple[CognitiveModel, ...]:
    """Return the cognitive models that a suite names, for behaviour over `n_symbols` symbols.

        bernoulli             independent symbols
        markov?order=2        a chain of that order
        alternation           biases of outcome and of alternating
        window_average        the gambler's fallacy, of any width to 20; window_average?width=5 of that one
        discounted_filter     counts that fade
        repeat_average?concepts=01,011   a coin or a repeated word; also repeat_map and repeat_tempered

    Words are of symbol indices. Raises UnknownName for an unknown name; SpecError for an option that is
    unknown, missing or out of range, for a model of two symbols where there are
    more, and for two models that tables could not tell apart.
    """
    models = tuple(_named(text, n_symbols) for text in texts)
    names = [model.name for model in models]
    for i, name in enumerate(names):
        if name in names[:i]:
            first = texts[names.index(name)]
            raise SpecError(
                f"cognitive models {first!r} and {texts[i]!r} are both {name!r}; keep one of them"
            )
    return models


def _named(text: str, n_symbols: int) -> CognitiveModel:
    name, asked, given = text.partition("?")
    if name not in _KINDS:
        raise UnknownName(f"no cognitive model {name!r}{suggestion(name, _KINDS)}")
    kind = _KINDS[name]
    option, equals, value = given.partition("=")
    if kind.binary and n_symbols != 2:
        others = [other for other, k in sorted(_KINDS.items()) if not k.binary]
        raise SpecError(
            f"cognitive model {text!r} is of two symbols and there are {n_symbols} here; "
            f"of more symbols are: {', '.join(others)}"
        )
    if not asked and not kind.required:
        return kind.make("", n_symbols)
    if not kind.option:
        raise SpecError(f"cognitive model {text!r}: {name} takes no option; write {name!r}")
    if option != kind.option or not equals or not re.fullmatch(kind.pattern, value):
        example = f"{name}?{kind.option}={kind.example}"
        raise SpecError(f"cognitive model {text!r}: {kind.option} is wanted as in {example!r}")
    return kind.make(value, n_symbols)
