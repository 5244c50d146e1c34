"""Reading a regression model: planted mixtures are found again, and what is read is what the model computes."""

import numpy as np
import pytest
import torch

from harness.local_models.recipes._regression_predictors import coefficients, posterior, predictions
from harness.local_models.recipes.sparse_regression import SparseRegression, new_model
from harness.local_models.regression_model import RegressionModel
from harness.local_models.regression_reading import (
    implied_mixture,
    nearest_mixture,
    predicted,
    states,
    with_query,
)
from harness.types import Floats

TASK = SparseRegression(dimensions=6, rank=2, examples=7, layers=3, width=16)


class Bayes(torch.nn.Module):
    """Answers as the exact mixture does, or as one basis does, to whatever it is asked."""

    def __init__(self, weigh: str) -> None:
        super().__init__()
        self.read_in = torch.nn.Linear(1, 1)
        self._weigh = weigh

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        a, b = x.double().numpy(), y.double().numpy()
        said = predictions(a, b, np.ones(len(a), dtype=np.int64), TASK.bases, TASK.noise)[self._weigh]
        return torch.from_numpy(said)


def planted(weigh: str) -> RegressionModel:
    return Bayes(weigh)  # type: ignore[return-value]


def test_coefficients_make_the_predictions() -> None:
    x, y, basis = TASK.draw(np.random.default_rng(1), 20)
    w = coefficients(x, y, TASK.bases, TASK.noise)
    each = np.einsum("nkbr,nkbr->nkb", w, x[..., TASK.bases])
    mixed = (each * posterior(x, y, TASK.bases, TASK.noise)).sum(axis=-1)
    expected = predictions(x, y, basis, TASK.bases, TASK.noise)
    np.testing.assert_allclose(mixed, expected["mixture"], atol=1e-8)
    np.testing.assert_allclose(each[np.arange(20), :, basis], expected["oracle"], atol=1e-8)


def test_exact_bayes_implies_its_posterior_and_one_basis_itself() -> None:
    x, y, _ = TASK.draw(np.random.default_rng(2), 30)
    queries = np.random.default_rng(3).standard_normal((16, 6))
    belief = posterior(x, y, TASK.bases, TASK.noise)
    mixture = implied_mixture(planted("mixture"), x, y, TASK.bases, TASK.noise, queries)
    # Inputs pass as float32, hence 1e-4.
    np.testing.assert_allclose(mixture.weights, belief[:, 1:], atol=1e-4)
    np.testing.assert_allclose(mixture.explained, 1, atol=1e-6)
    single = implied_mixture(planted("oracle"), x, y, TASK.bases, TASK.noise, queries)
    np.testing.assert_allclose(single.weights[..., 1], 1, atol=1e-4)  # the planted basis is number 1
    blind = implied_mixture(planted("ridge"), x, y, TASK.bases, TASK.noise, queries)
    assert blind.explained.mean() < 0.95  # ridge is no mixture of them, and that shows


def objective(each: Floats, answers: Floats, weights: Floats) -> Floats:
    return np.asarray(np.square(answers - np.einsum("nmb,nb->nm", each, weights)).sum(axis=1))


def test_no_other_mixture_is_nearer() -> None:
    rng = np.random.default_rng(4)
    each, answers = rng.standard_normal((40, 9, 4)), 2 * rng.standard_normal((40, 9))
    found = nearest_mixture(each, answers)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found == 0).any()  # the boundary matters here
    least = objective(each, answers, found)
    for _ in range(300):
        other = rng.dirichlet(np.full(4, 0.4), size=40)
        assert (least <= objective(each, answers, other) + 1e-9).all()
        near = 0.95 * found + 0.05 * other
        assert (least <= objective(each, answers, near) + 1e-9).all()


def test_predictors_that_coincide_share_their_weight() -> None:
    one, other = np.random.default_rng(5).standard_normal((2, 3, 8))
    found = nearest_mixture(np.stack([one, one, other], axis=-1), one)
    np.testing.assert_allclose(objective(np.stack([one, one, other], axis=-1), one, found), 0, atol=1e-9)
    np.testing.assert_allclose(found[:, 2], 0, atol=1e-6)


def test_a_query_is_answered_as_if_it_were_the_next_example() -> None:
    model = new_model(TASK, seed=0)
    x, y, _ = TASK.draw(np.random.default_rng(6), 5)
    asked = with_query(x, y, 3, x[:, 3])
    assert asked[0].shape == (5, 4, 6)
    np.testing.assert_allclose(predicted(model, *asked)[:, 3], predicted(model, x, y)[:, 3], atol=1e-6)


@pytest.mark.parametrize("example", [0, 4])
def test_states_are_those_that_the_prediction_is_read_from(example: int) -> None:
    model = new_model(TASK, seed=0)
    x, y, _ = TASK.draw(np.random.default_rng(7), 600)  # more than one pass
    read = states(model, x, y, example=example)
    assert read.shape == (3, 600, 16)
    with torch.inference_mode():
        said = model.read_out(model.body.norm(torch.from_numpy(read[-1])))[:, 0].numpy()
        hidden = model.body(
            inputs_embeds=model.embedded(*(torch.from_numpy(a[:5]).float() for a in (x, y))),
            output_hidden_states=True,
        ).hidden_states
    np.testing.assert_allclose(said, predicted(model, x, y)[:, example], atol=1e-5)
    for layer in (0, 1):
        np.testing.assert_allclose(
            read[layer, :5], hidden[layer + 1][:, 2 * example].numpy(), rtol=0, atol=1e-5
        )
