"""The requests that a suite plans, put to a model directly: what each context length was answered."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from harness.conditions import Condition
from harness.expansion import expand
from harness.plan import make_item, pieces
from harness.registry import load_model, load_reader
from harness.scoring import score_logprobs
from harness.suite_files import parse_suite
from harness.types import Bools, Capabilities, Failure, Floats, Form, Ints, Model, Reply, Request, Response


@dataclass(frozen=True, slots=True)
class Exact:
    """What a model reports exactly of the first sequence of each condition, one after another."""

    capabilities: Capabilities
    p: Floats  # (n_levels,), p(target) over the declared symbols, NaN where not reported
    raw: Floats  # (n_levels,), p(target)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn for the first sequence of each condition, one after another."""

    hits: Ints  # (n_levels,), draws of the target
    trials: Ints  # (n_levels,), draws of declared symbols
    draws: Ints  # (n_levels,), all draws


def ask_exactly(name: str, suite: str) -> Exact:
    """Ask a model for the log-probabilities at every context length of a suite."""
    conditions = expand(parse_suite(suite, "asked"))
    capabilities, asked = asyncio.run(_ask(load_model(name), conditions, None))
    scores = [score_logprobs(response, target) for _, response, target in asked]
    return Exact(capabilities, np.concatenate([s.p for s in scores]), np.concatenate([s.raw for s in scores]))


def ask_for_draws(name: str, suite: str, *, restricted: bool = False) -> Drawn:
    """Ask a model for drawn symbols alone, as if it reported no log-probabilities."""
    conditions = expand(parse_suite(suite, "asked"))
    _, asked = asyncio.run(_ask(load_model(name), conditions, restricted))
    found: dict[tuple[int, int], Ints] = {}
    for i, response, target in asked:
        assert response.counts is not None
        counts = response.counts[0]
        row = np.array([counts[target[0]], counts[:-1].sum(), counts.sum()])
        key = (i, int(response.context_lengths[0]))
        found[key] = found.get(key, np.zeros(3, dtype=np.int64)) + row
    table = np.array([found[key] for key in sorted(found)])
    return Drawn(table[:, 0], table[:, 1], table[:, 2])


def outside_wilson(p: Floats, drawn: Drawn, *, confidence: float) -> Bools:
    """Return where p lies outside the Wilson interval of what was drawn, of the levels with any trial."""
    seen = drawn.trials > 0
    intervals = [
        stats.binomtest(int(k), int(n)).proportion_ci(confidence, method="wilson")
        for k, n in zip(drawn.hits[seen], drawn.trials[seen], strict=True)
    ]
    low, high = np.array(intervals).T
    outside: Bools = (p[seen] < low) | (p[seen] > high)
    return outside


async def _ask(
    model: Model, conditions: Sequence[Condition], restricted: bool | None
) -> tuple[Capabilities, list[tuple[int, Response, Ints]]]:
    """Return the responses with the number of their condition and their targets; `restricted` is for draws."""
    try:
        prompts = [condition.prompt(condition.sequence(0)) for condition in conditions]
        surfaces = list(dict.fromkeys(s for prompt in prompts for s in prompt.surfaces))
        form: Form = prompts[0].form
        found = await model.probe(surfaces, prompts[0].between, form)
        if restricted is not None:
            assert found.logit_bias or not restricted
            found = replace(found, top_logprobs=0, full=False, prefixes=False, logit_bias=restricted)
        asked = []
        for i, condition in enumerate(conditions):
            for piece in pieces(make_item(condition, found), 0, found.max_samples):
                lengths = np.array(piece.request.context_lengths)
                asked.append((i, piece.request, piece.sequence.target[lengths]))
        replies = await model.send([request for _, request, _ in asked])
        return found, [
            (i, _read(model, request, reply), target)
            for (i, request, target), reply in zip(asked, replies, strict=True)
        ]
    finally:
        await model.close()


def _read(model: Model, request: Request, reply: Reply | Failure) -> Response:
    assert isinstance(reply, Reply), reply
    response = load_reader(model.name)(request, reply.raw)
    assert isinstance(response, Response), response
    return response
