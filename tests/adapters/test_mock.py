"""Mock models: what they report is the curve their name asks for."""

import asyncio
import math

import numpy as np
import pytest

from harness.adapters.mock import open_model, read
from harness.errors import SpecError, UnknownName
from harness.registry import load_family
from harness.types import Capabilities, Failure, Form, ParamValue, Prompt, Reply, Request, Response

RNG = np.random.default_rng(20261121)


def prompt(
    length: int = 60, *, n_symbols: int = 2, header: str = "", between: str = "", form: Form = "completion"
) -> Prompt:
    symbols = tuple(RNG.integers(0, n_symbols, length + 1).tolist())
    return Prompt(header, tuple(f" {c}" for c in "abcdefgh"[:n_symbols]), between, symbols, form)


def ask(name: str, *requests: Request) -> list[Response | Failure]:
    outcomes = asyncio.run(open_model(name).send(requests))
    pairs = zip(requests, outcomes, strict=True)
    return [read(r, o.raw) if isinstance(o, Reply) else o for r, o in pairs]


def p_target(response: Response | Failure, prompt: Prompt) -> list[float]:
    assert isinstance(response, Response), response
    assert response.logprob is not None
    return [math.exp(response.logprob[i, prompt.symbols[n]]) for i, n in enumerate(response.context_lengths)]


def probe(name: str) -> Capabilities:
    return asyncio.run(open_model(name).probe(["0", "1"], ""))


def test_a_logistic_has_its_asymptotes_its_half_rise_and_its_width() -> None:
    """The 10-90 % width by its definition: 4 and 16 lie half of width 12 either side of location 10."""
    x = prompt()
    (got,) = ask("logistic?location=10&width=12&low=0.5&high=0.9", Request("prefixes", x, (4, 10, 16, 60)))
    assert p_target(got, x) == pytest.approx([0.54, 0.70, 0.86, 0.9], abs=1e-6)


def test_a_step_is_where_its_name_says() -> None:
    x = prompt()
    (got,) = ask("step?location=8&low=0.25&high=0.75", Request("prefixes", x, (0, 7, 8, 9)))
    assert p_target(got, x) == pytest.approx([0.25, 0.25, 0.75, 0.75])


@pytest.mark.parametrize("n_symbols", [2, 3, 8])
@pytest.mark.parametrize("between", ["", ","])
@pytest.mark.parametrize("header", ["", "Flips:"])
@pytest.mark.parametrize("form", ["completion", "chat"])
def test_the_rest_is_spread_evenly_over_the_other_symbols(
    n_symbols: int, between: str, header: str, form: Form
) -> None:
    x = prompt(n_symbols=n_symbols, between=between, header=header, form=form)
    (got,) = ask("flat?p=0.6", Request("prefixes", x, tuple(range(20))))
    assert isinstance(got, Response)
    assert got.logprob is not None
    assert got.failures == ()
    p = np.exp(got.logprob)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    expected = np.full_like(p, 0.4 / (n_symbols - 1))
    expected[np.arange(20), x.symbols[:20]] = 0.6
    np.testing.assert_allclose(p, expected)


def test_every_way_of_measuring_reports_the_same() -> None:
    x, name = prompt(), "logistic?location=10&noise=0.5"
    (every,) = ask(name, Request("prefixes", x, (3, 10, 30)))
    single = ask(name, *(Request("next_token", x, (n,)) for n in (3, 10, 30)))
    assert [p_target(r, x)[0] for r in single] == pytest.approx(p_target(every, x))


def test_draws_follow_the_curve() -> None:
    """5120 draws at p = 0.7: four standard errors are 0.026."""
    x = prompt()
    draws = ask("flat?p=0.7", *(Request("samples", x, (5,), n=128, seed=s) for s in range(40)))
    counts = sum(r.counts[0, x.symbols[5]] for r in draws if isinstance(r, Response) and r.counts is not None)
    assert counts / 5120 == pytest.approx(0.7, abs=0.026)


def test_the_noise_of_a_sequence_is_one_normal_shift_of_its_logit() -> None:
    """400 sequences at p = 0.5: the standard deviation 0.3 is known to 0.3 / sqrt(800), four times that is 0.042."""
    prompts = [prompt(12) for _ in range(400)]
    got = ask("flat?noise=0.3", *(Request("prefixes", x, (0, 12)) for x in prompts))
    p = np.array([p_target(r, x) for r, x in zip(got, prompts, strict=True)])
    shift = np.log(p / (1 - p))
    np.testing.assert_allclose(shift[:, 0], shift[:, 1])  # the same at every context length
    assert shift[:, 0].std() == pytest.approx(0.3, abs=0.042)
    assert shift[:, 0].mean() == pytest.approx(0, abs=4 * 0.3 / 20)


def test_the_fraction_of_calls_asked_for_fails_with_a_mix_of_kinds() -> None:
    """2000 calls at 0.1: four standard errors are 0.027."""
    requests = [Request("samples", prompt(4), (2,), n=1, seed=s) for s in range(2000)]
    failures = [r for r in ask("flat?fail=0.1", *requests) if isinstance(r, Failure)]
    assert len(failures) / 2000 == pytest.approx(0.1, abs=0.027)
    assert {f.kind for f in failures} == {"server", "filtered", "refused", "truncated"}


def test_the_same_name_gives_the_same_answers_and_another_seed_others() -> None:
    x = Prompt("", ("0", "1"), "", (0, 1) * 10)
    draw = Request("samples", x, (5,), n=16, seed=1)
    first, again, other = (
        asyncio.run(open_model(n).send([draw]))[0] for n in ("flat", "flat", "flat?seed=1")
    )
    assert isinstance(first, Reply)
    assert isinstance(other, Reply)
    assert first == again
    assert first.raw != other.raw


@pytest.mark.parametrize(
    ("ways", "prefixes", "full"),
    [("prefixes", True, True), ("next_token", False, True), ("samples", False, False)],
)
def test_ways_restricts_what_is_offered(ways: str, prefixes: bool, full: bool) -> None:
    found = probe(f"flat?ways={ways}&n_max=7")
    assert (found.prefixes, found.full, bool(found.top_logprobs), found.max_samples) == (
        prefixes,
        full,
        full,
        7,
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "logistc",
            r"no mock model 'logistc'; did you mean 'logistic'\? \(known: flat, logistic, observer, step\)",
        ),
        ("step?locaton=8", r"no option of mock/step 'locaton'; did you mean 'location'\?"),
        ("flat?location=8", r"no option of mock/flat 'location'"),
    ],
)
def test_unknown_names_and_options_are_refused_with_a_suggestion(name: str, message: str) -> None:
    with pytest.raises(UnknownName, match=message):
        open_model(name)


@pytest.mark.parametrize(
    "name",
    [
        *("flat?p=1.5", "flat?p=x", "flat?p=nan", "flat?p", "flat?fail=-1", "flat?ways=all"),
        *(
            "flat?noise=-1",
            "flat?noise=inf",
            "flat?n_max=0",
            "flat?n_max=1.5",
            "step?low=2",
            "logistic?width=0",
        ),
    ],
)
def test_values_out_of_range_are_refused(name: str) -> None:
    with pytest.raises(SpecError, match="mock/"):
        open_model(name)


@pytest.mark.parametrize(
    ("family", "options"), [("periodic", "&max_period=8"), ("bernoulli", ""), ("markov", "&order=1")]
)
def test_an_observer_as_a_model_reports_what_the_observer_says_of_the_same_symbols(
    family: str, options: str
) -> None:
    x = prompt(24)
    loaded = load_family(family)
    params: dict[str, ParamValue] = {k: int(v) for k, v in [options[1:].split("=")]} if options else {}
    law = loaded.observe(np.asarray(x.symbols), ("0", "1"), **params)
    assert loaded.ideal in law
    for query, observer in (("", loaded.ideal), (f"&name={list(law)[-1]}", list(law)[-1])):
        (got,) = ask(f"observer?family={family}{query}{options}", Request("prefixes", x, tuple(range(25))))
        assert isinstance(got, Response)
        assert got.logprob is not None
        np.testing.assert_allclose(np.exp(got.logprob), law[observer][:25], atol=1e-9)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("observer", "needs a family"),
        ("observer?family=periodc", "periodic"),
        ("observer?family=periodic&per=3", "per"),
    ],
)
def test_an_observer_that_does_not_exist_is_said_to(name: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        open_model(name)


def test_an_unknown_observer_of_a_family_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownName, match="known: kt, period"):
        ask("observer?family=periodic&name=perod", Request("prefixes", prompt(5), (1, 2)))
