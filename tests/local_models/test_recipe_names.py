"""Recipes are found by file name, options are filled in, and mistakes are answered."""

import pytest

from harness.errors import SpecError, UnknownName
from harness.local_models.recipe_names import load_recipe, own_training, recipe_names

OWN = {"concept-space", "sparse-regression"}  # no sequences of characters


def test_every_recipe_is_listed_and_either_read_or_trained_by_itself() -> None:
    assert set(recipe_names()) == OWN | {"bitwise", "icl-mixture", "induction", "markov-mixture"}
    for name in recipe_names():
        assert (own_training(name) is None) is (name not in OWN)


@pytest.mark.parametrize("name", sorted({"bitwise", "icl-mixture", "induction", "markov-mixture"}))
def test_a_recipe_is_sound(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name.partition("?")[0] == name
    assert recipe.checkpoints[0] == 0
    assert list(recipe.checkpoints) == sorted(set(recipe.checkpoints))
    assert recipe.checkpoints[-1] < recipe.steps
    assert recipe.width % (2 * recipe.heads) == 0  # rotary positions turn pairs


def test_a_typo_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match="did you mean 'icl-mixture'"):
        load_recipe("icl-mixtur")


def test_options_replace_defaults_and_stand_in_the_name() -> None:
    assert load_recipe("markov-mixture?chains=3").name == "markov-mixture?chains=3"
    assert load_recipe("markov-mixture").name == "markov-mixture?chains=16"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("induction?blocks=3", "has no options"),
        ("markov-mixture?chain=3", "no option 'chain'; did you mean 'chains'"),
        ("markov-mixture?chains=many", "chains='many' must be an integer"),
        ("sparse-regression", "train it with `icl train"),
    ],
)
def test_wrong_options_are_refused(name: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load_recipe(name)
