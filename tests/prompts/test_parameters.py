from typing import Literal

import pytest

from harness.errors import SpecError
from harness.prompts.parameters import complete, declared
from harness.types import ParamValue


def sample(  # type: ignore[no-untyped-def]
    length: int,
    *,
    period: int = 3,
    p: float | Literal["uniform"] = "uniform",
    distinct: bool | None = None,
    symbols: str | tuple[str, ...] = "binary",
    bounds: tuple[int, float] = (0, 1.0),
    untyped=2,
) -> None:
    del length, period, p, distinct, symbols, bounds, untyped


PARAMETERS = declared(sample, "family 'f'")


def test_keyword_only_arguments_with_their_defaults_are_the_parameters() -> None:
    assert {p.name: p.default for p in PARAMETERS} == {
        "period": 3,
        "p": "uniform",
        "distinct": None,
        "symbols": "binary",
        "bounds": (0, 1.0),
        "untyped": 2,
    }


def test_given_values_replace_defaults() -> None:
    values = complete(PARAMETERS, {"p": 0.3, "symbols": ("a", "b")}, "family 'f'")
    assert values == {p.name: p.default for p in PARAMETERS} | {"p": 0.3, "symbols": ("a", "b")}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("period", 5),
        ("p", 0.5),
        ("p", 1),  # an integer is a number
        ("p", "uniform"),
        ("distinct", None),
        ("distinct", False),
        ("symbols", "letters"),
        ("symbols", ("a", "b")),
        ("bounds", (3, 4)),
        ("untyped", 7),
    ],
)
def test_a_value_of_the_declared_type_is_taken(name: str, value: ParamValue) -> None:
    assert complete(PARAMETERS, {name: value}, "family 'f'")[name] == value


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("period", True, "an integer"),
        ("period", 3.0, "an integer"),
        ("period", "3", "an integer"),
        ("period", None, "an integer"),
        ("p", True, "a number or 'uniform'"),
        ("p", "unifrom", "a number or 'uniform'"),
        ("distinct", 0, "true or false or null"),
        ("symbols", (0, 1), "text or a list of which each is text; quote what is meant as text"),
        ("symbols", 7, "text or a list of which each is text; quote"),
        ("bounds", (1.5, 2.0), "a list of an integer, a number"),
        ("bounds", (1, 2.0, 3.0), "a list of an integer, a number"),
        ("untyped", "x", "an integer"),  # the type of the default
    ],
)
def test_a_value_of_another_type_is_refused_with_what_is_allowed(
    name: str, value: ParamValue, allowed: str
) -> None:
    with pytest.raises(SpecError) as caught:
        complete(PARAMETERS, {name: value}, "family 'f'")
    assert str(caught.value).startswith(f"family 'f': {name}={value!r} must be {allowed}")


def test_an_unknown_parameter_is_answered_with_the_nearest_and_all() -> None:
    with pytest.raises(
        SpecError, match=r"'f': no parameter 'perod'; did you mean 'period'\? \(known: bounds, dis"
    ):
        complete(PARAMETERS, {"perod": 3}, "family 'f'")


def test_a_parameter_without_default_is_refused() -> None:
    def needs(length: int, *, period: int) -> None:
        del length, period

    with pytest.raises(SpecError, match="parameter 'period' has no default"):
        declared(needs, "family 'f'")


def test_a_whole_number_given_for_a_number_is_that_number() -> None:
    def sample(length: int, *, p: float | Literal["uniform"] = 0.5, k: int = 1) -> None:
        del length, p, k

    values = complete(declared(sample, "f"), {"p": 1, "k": 2}, "f")
    assert values == {"p": 1.0, "k": 2}
    assert [type(v) for v in values.values()] == [float, int]
