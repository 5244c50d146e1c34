import pytest

from harness.cognitive import (
    Alternation,
    DiscountedFilter,
    Markov,
    RepeatMixture,
    WindowAverage,
    model_names,
    named_models,
)
from harness.errors import SpecError, UnknownName


def test_a_name_with_its_option_is_the_model_it_says() -> None:
    texts = [
        "bernoulli",
        "markov?order=3",
        "alternation",
        "discounted_filter",
        "window_average?width=7",
        "repeat_average?concepts=01,011",
        "repeat_map?concepts=0",
        "repeat_tempered?concepts=0011",
    ]
    assert named_models(texts, 2) == (
        Markov(0),
        Markov(3),
        Alternation(),
        DiscountedFilter(),
        WindowAverage((7,)),
        RepeatMixture(((0, 1), (0, 1, 1)), "average"),
        RepeatMixture(((0,),), "map"),
        RepeatMixture(((0, 0, 1, 1),), "tempered"),
    )
    assert {text.partition("?")[0] for text in texts} == set(model_names())


def test_without_a_width_every_width_is_tried() -> None:
    assert named_models(["window_average"], 2) == (WindowAverage(),)


def test_chains_are_of_as_many_symbols_as_there_are() -> None:
    assert named_models(["bernoulli", "markov?order=1"], 5) == (Markov(0, 5), Markov(1, 5))


@pytest.mark.parametrize("name", ["alternation", "window_average", "repeat_map?concepts=01"])
def test_a_model_of_two_symbols_is_refused_where_there_are_more(name: str) -> None:
    with pytest.raises(SpecError, match="two symbols and there are 3 here; of more symbols are: bernoulli"):
        named_models([name], 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("markov", r"order is wanted as in 'markov\?order=2'"),
        ("markov?order=0", "order is wanted"),
        ("markov?order=2&order=3", "order is wanted"),
        ("markov?k=2", "order is wanted"),
        ("alternation?a=1", "takes no option; write 'alternation'"),
        ("window_average?width=", "width is wanted"),
        ("window_average?", "width is wanted"),
        ("repeat_map", "concepts is wanted"),
        ("repeat_map?concepts=02", "concepts is wanted"),
    ],
)
def test_an_option_that_is_none_is_named(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        named_models([text], 2)


def test_a_name_that_is_none_gets_a_suggestion() -> None:
    with pytest.raises(UnknownName, match="did you mean 'bernoulli'"):
        named_models(["bernouli"], 2)


def test_two_models_that_a_table_could_not_tell_apart_are_refused() -> None:
    with pytest.raises(SpecError, match=r"'window_average' and 'window_average\?width=5' are both"):
        named_models(["bernoulli", "window_average", "window_average?width=5"], 2)
