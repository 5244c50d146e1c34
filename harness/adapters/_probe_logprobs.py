"""Probing for log-probabilities: how many tokens a position reports, and whether a prompt's own are scored."""

from dataclasses import dataclass, replace

import numpy as np

from harness.adapters._dialect import Dialect
from harness.adapters._payload import Position, parse, positions
from harness.adapters._probe_record import Record
from harness.adapters._reading import read_reply
from harness.types import Failure, Prompt, Reply, Request, Response

# Tokens per position: llama.cpp has no limit, vLLM and OpenAI's chat stop at 20, OpenAI's completions at 5.
_ASKS = (100, 40, 20, 5)
_CONTEXTS = (4, 6, 8)
_TRIES = 2  # of one way of scoring, where the reply cannot be read
_OWN = 1e-9  # probability beyond the prompt's own token that proves that others are reported


@dataclass(frozen=True, slots=True)
class Top:
    """How many tokens a position reports, 0 if none."""

    count: int
    finding: str
    reply: Reply | None = None  # the one that they were counted in


@dataclass(frozen=True, slots=True)
class Scoring:
    """Whether one request scores every context length of a prompt."""

    honoured: bool  # the prompt's own tokens are scored, with others in their place
    again: bool  # another separator or other symbols may fare better or worse
    finding: str
    response: Response | None = None  # of the probe prompt, None where it could not be read


async def probe_top_logprobs(record: Record, prompt: Prompt) -> Top:
    """Ask for fewer and fewer tokens until the server accepts, and count what really comes back."""
    if record.calls.dialect.hidden_tokens:
        return Top(0, "no log-probabilities: behind hidden reasoning they would not be those of the context")
    refused = ""
    for asked in _ASKS:
        reply, found = await _next_token(record, prompt, asked)
        if isinstance(reply, Failure):
            refused = reply.detail
            if reply.kind == "request":
                continue
            break
        if isinstance(found, Failure):
            return Top(0, f"no log-probabilities: {found.detail}")
        count = min(asked, len(found[0].top))
        if not count:
            return Top(0, f"no other tokens are reported beside the one drawn ({asked} asked)")
        return Top(count, f"{count} tokens are reported per position ({asked} asked)", reply)
    return Top(0, f"no log-probabilities: {refused}")


async def _next_token(
    record: Record, prompt: Prompt, asked: int
) -> tuple[Reply | Failure, list[Position] | Failure]:
    """Ask after one context after another until a reply can be read: one that cannot may be a fault of its own."""
    for n in _CONTEXTS:
        reply = await record.send(Request("next_token", prompt, (n,), top_logprobs=asked))
        if isinstance(reply, Failure):
            return reply, reply
        payload = parse(reply.raw)
        found = payload if isinstance(payload, Failure) else positions(payload.choices[0].logprobs)
        if not isinstance(found, Failure):
            break
    return reply, found


async def probe_scoring(record: Record, prompt: Prompt, top: int, *, known: bool = False) -> Scoring:
    """Ask for the log-probabilities of the prompt, by echo and then in vLLM's way; all of them must come back.

    `known` means that the dialect's own way has been seen to work with other symbols.
    """
    if prompt.form != "completion":
        return Scoring(
            False, False, f"a {prompt.form} has no echo: each context length is a request of its own"
        )
    if not top:
        return Scoring(False, False, "echo is not asked for: no alternatives to a token are reported")
    calls = record.calls
    ways = [calls.dialect] if known or calls.strict else _ways(calls.dialect)
    outcomes = []
    for dialect in ways:
        calls.dialect = dialect
        outcomes.append(await _score(record, prompt, top))
        if outcomes[-1].response is not None:
            return outcomes[-1]
    calls.dialect = ways[0]
    return replace(outcomes[0], finding="; ".join(outcome.finding for outcome in outcomes))


def _ways(dialect: Dialect) -> list[Dialect]:
    return [replace(dialect, scoring="echo"), replace(dialect, scoring="prompt_logprobs")]


async def _score(record: Record, prompt: Prompt, top: int) -> Scoring:
    name = record.calls.dialect.scoring
    lengths = tuple(range(len(prompt.symbols)))
    request = Request("prefixes", prompt, lengths, top_logprobs=top)
    for _ in range(_TRIES):
        reply = await record.send(request)
        response = reply if isinstance(reply, Failure) else read_reply(request, reply.raw)
        if isinstance(reply, Failure) or not isinstance(response, Failure) or response.kind == "tokenization":
            break
    if isinstance(response, Failure):
        if response.kind == "tokenization":
            return Scoring(False, True, f"{name} cannot be used: {response.detail}")
        return Scoring(False, False, f"{name} is not honoured: {response.detail}")
    if _own_only(prompt, response):
        return Scoring(
            False,
            False,
            f"{name} reports each token of the prompt without alternatives, so that no distribution over the "
            "symbols can be had from it; it is not used",
        )
    lost = [f for _, f in response.failures if f.kind == "tokenization"]
    if lost:
        finding = f"{name} is honoured, but {len(lost)} symbols are not tokens: {lost[0].detail}"
    else:
        finding = f"{name} is honoured: one request scores every context length"
    return Scoring(True, True, finding, response)


def _own_only(prompt: Prompt, response: Response) -> bool:
    """Whether no position reports any token but the one that stands in the prompt."""
    assert response.logprob is not None
    assert response.covered is not None
    own = np.exp(response.logprob[np.arange(len(prompt.symbols)), list(prompt.symbols)])
    beyond = (response.covered - own)[np.isfinite(own)]
    return beyond.size > 0 and bool(beyond.max() <= _OWN)
