"""Probing for log-probabilities: of the prompt itself (echo), and how many tokens a position reports."""

from dataclasses import dataclass

from harness.adapters._calls import Calls
from harness.adapters._payload import parse, positions
from harness.adapters._reading import read_reply
from harness.types import Failure, Prompt, Request, Response

_ASKS = (
    100,
    40,
    20,
    5,
)  # tokens per position: llama.cpp has no limit, OpenAI's chat stops at 20, its legacy at 5


@dataclass(frozen=True, slots=True)
class Echo:
    """Whether a prompt's own tokens are scored; the response read is None if not."""

    response: Response | None
    finding: str


@dataclass(frozen=True, slots=True)
class Top:
    """How many tokens a position reports, 0 if none."""

    count: int
    finding: str


async def probe_echo(calls: Calls, prompt: Prompt) -> Echo:
    """Ask for the log-probabilities of the prompt; as many must come back as it has tokens."""
    if prompt.form == "chat":
        return Echo(None, "a chat has no echo: each context length is a request of its own")
    lengths = tuple(range(len(prompt.symbols)))
    request = Request("prefixes", prompt, lengths, top_logprobs=_ASKS[-1])
    reply = await calls.send(request)
    response = reply if isinstance(reply, Failure) else read_reply(request, reply.raw)
    if isinstance(response, Failure):
        verdict = "echo is not honoured" if response.kind != "tokenization" else "echo cannot be used"
        return Echo(None, f"{verdict}: {response.detail}")
    lost = [f for _, f in response.failures if f.kind == "tokenization"]
    if lost:
        return Echo(response, f"echo is honoured, but {len(lost)} symbols are not tokens: {lost[0].detail}")
    return Echo(response, "echo is honoured: one request scores every context length")


async def probe_top_logprobs(calls: Calls, prompt: Prompt) -> Top:
    """Ask for fewer and fewer tokens until the server accepts, and count what really comes back."""
    refused = ""
    for asked in _ASKS:
        reply = await calls.send(Request("next_token", prompt, (4,), top_logprobs=asked))
        if isinstance(reply, Failure):
            refused = reply.detail
            if reply.kind == "request":
                continue
            break
        payload = parse(reply.raw)
        found = payload if isinstance(payload, Failure) else positions(payload.choices[0].logprobs)
        if isinstance(found, Failure):
            return Top(0, f"no log-probabilities: {found.detail}")
        count = min(asked, len(found[0].top))
        if not count:
            return Top(0, f"no other tokens are reported beside the one drawn ({asked} asked)")
        return Top(count, f"{count} tokens are reported per position ({asked} asked)")
    return Top(0, f"no log-probabilities: {refused}")
