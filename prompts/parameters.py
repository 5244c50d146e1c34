"""The parameters a family declares in its signature, and whether a given value is of their type."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Literal, Union, cast, get_args, get_origin, get_type_hints

from harness.errors import SpecError, suggestion
from harness.types import Params, ParamValue

_WORDS: Mapping[object, str] = {
    bool: "true or false",
    float: "a number",
    int: "an integer",
    str: "text",
    NoneType: "null",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One keyword-only argument of a family's `sample`."""

    name: str
    default: ParamValue
    annotation: object  # the type a value must have; that of the default where the family states none


def declared(function: Callable[..., object], where: str) -> tuple[Parameter, ...]:
    """Return the keyword-only parameters of a function. Raises SpecError for one without a default."""
    hints = get_type_hints(function)
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is not parameter.KEYWORD_ONLY:
            continue
        if parameter.default is parameter.empty:
            raise SpecError(
                f"{where}: parameter {name!r} has no default; give it one in the signature of sample"
            )
        found.append(Parameter(name, parameter.default, hints.get(name, type(parameter.default))))
    return tuple(found)


def complete(parameters: tuple[Parameter, ...], given: Params, where: str) -> dict[str, ParamValue]:
    """Return the given values over the defaults. Raises SpecError for an unknown name or a wrong type."""
    by_name = {parameter.name: parameter for parameter in parameters}
    for name, value in given.items():
        if name not in by_name:
            raise SpecError(f"{where}: no parameter {name!r}{suggestion(name, by_name)}")
        annotation = by_name[name].annotation
        if not _fits(value, annotation):
            hint = "; quote what is meant as text" if _mentions_text(annotation) else ""
            raise SpecError(f"{where}: {name}={value!r} must be {_in_words(annotation)}{hint}")
    return {name: _typed(given.get(name, p.default), p.annotation) for name, p in by_name.items()}


def _typed(value: ParamValue, annotation: object) -> ParamValue:
    """Return an integer given for a number as that number: 1 and 1.0 are one setting with one seed."""
    options = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    if float in options and int not in options and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _fits(value: object, annotation: object) -> bool:
    """Return whether a value is of a type. An integer is a number; true and false are neither."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return any(_fits(value, arg) for arg in args)
    if origin is Literal:
        return any(type(value) is type(arg) and value == arg for arg in args)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if args[-1] is Ellipsis:
            return all(_fits(item, args[0]) for item in value)
        return len(value) == len(args) and all(map(_fits, value, args))
    if annotation is float:
        return isinstance(value, float | int) and not isinstance(value, bool)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, cast(type, annotation))


def _in_words(annotation: object) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " or ".join(map(_in_words, args))
    if origin is Literal:
        return " or ".join(map(repr, args))
    if origin is tuple and args[-1] is Ellipsis:
        return f"a list of which each is {_in_words(args[0])}"
    if origin is tuple:
        return f"a list of {', '.join(map(_in_words, args))}"
    return _WORDS.get(annotation, str(annotation))


def _mentions_text(annotation: object) -> bool:
    return annotation is str or any(map(_mentions_text, get_args(annotation)))
