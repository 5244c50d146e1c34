"""What a server can really do, established by asking it: HTTP 200 proves nothing.

Servers ignore echo, n and seed silently, cap the tokens they report, or answer
null where log-probabilities were asked for. Each step here looks at what came
back and says it in one sentence.
"""

import json
from dataclasses import dataclass

from harness.adapters._calls import Calls
from harness.adapters._payload import parse
from harness.adapters._probe_logprobs import probe_echo, probe_top_logprobs
from harness.adapters._probe_sampling import probe_n, probe_randomness
from harness.adapters._probe_symbols import probe_prompt
from harness.adapters._probe_tokens import Tokens, probe_tokens
from harness.adapters._transport import HttpReply
from harness.errors import ModelError
from harness.types import Capabilities, Failure, Form, Prompt, Request


@dataclass(frozen=True, slots=True)
class Probed:
    """What was found: the capabilities, and what the model's own check needs besides them."""

    capabilities: Capabilities
    forms: tuple[Form, ...]  # forms of prompt that were not refused
    refusal: str  # how the other form was refused, "" if it was not
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class _Served:
    form: Form
    refusal: str
    model: str


async def probe_server(
    calls: Calls, name: str, surfaces: tuple[str, ...], between: str, form: Form | None
) -> Probed:
    """Find out what the server reports of these symbols.

    Raises ModelError if nothing answers, what answers is no completion, or
    neither log-probabilities nor draws can be had.
    """
    prompt = probe_prompt(surfaces, between, "completion")
    window, listing = await _window(calls, name)
    served = await _served(calls, name, prompt, form)
    prompt = probe_prompt(surfaces, between, served.form)
    echo = await probe_echo(calls, prompt)
    top = await probe_top_logprobs(calls, prompt)
    draws = await probe_randomness(calls, prompt)
    n = await probe_n(calls, prompt) if draws.random else None
    tokens = await probe_tokens(calls.endpoint, prompt, echo.response)
    if not top.count and n is None:
        raise ModelError(f"{name} cannot be measured with: {top.finding}; {draws.finding}")
    findings = [
        f"{served.form} prompts are answered" + (f" ({served.refusal})" if served.refusal else ""),
        f"the served model is {served.model!r}" + listing,
        echo.finding,
        top.finding,
        draws.finding,
        *([n.finding] if n else []),
        *_drawing(calls, draws.random),
        tokens.finding,
    ]
    capabilities = Capabilities(
        prefixes=echo.response is not None and top.count > 0,
        top_logprobs=top.count,
        full=False,
        max_samples=n.count if n else 0,
        seed=draws.seed,
        max_context_tokens=window,
        findings=tuple(findings),
    )
    forms: tuple[Form, ...] = (served.form,) if served.refusal else ("completion", "chat")
    return Probed(capabilities, forms, served.refusal, tokens)


async def _served(calls: Calls, name: str, prompt: Prompt, form: Form | None) -> _Served:
    """Return the form of prompt that is answered, asking for one drawn token."""
    refusal = ""
    for candidate in (form,) if form else ("completion", "chat"):
        asked = Prompt(prompt.header, prompt.surfaces, prompt.between, prompt.symbols, candidate)
        reply = await calls.send(Request("samples", asked, (4,), n=1, seed=1))
        if isinstance(reply, Failure):
            if reply.kind == "request" and candidate != "chat" and form is None:
                refusal = f"completion prompts are not: {reply.detail}"
                continue
            raise _unusable(calls, name, reply, refusal)
        payload = parse(reply.raw)
        if isinstance(payload, Failure):
            raise ModelError(
                f"{name}: what answers at {calls.endpoint.base_url} is not a model: {payload.detail}"
            )
        return _Served(candidate, refusal, reply.served_model)
    raise AssertionError("unreachable: the last candidate returns or raises")


def _unusable(calls: Calls, name: str, failure: Failure, refusal: str) -> ModelError:
    url = calls.endpoint.base_url
    if failure.kind in ("transport", "timeout"):
        return ModelError(f"{name}: nothing answers at {url} ({failure.detail}); is the server running?")
    if failure.kind == "auth":
        return ModelError(f"{name}: {url} refuses the key ({failure.detail})")
    also = f"; {refusal}" if refusal else ""
    return ModelError(f"{name}: {url} does not answer for model {calls.model!r} ({failure.detail}{also})")


async def _window(calls: Calls, name: str) -> tuple[int | None, str]:
    """Return the prompt tokens accepted, as the server's model list says, and the sentence about it.

    Asked first and once: a server that is down is said to be at once, without retries.
    """
    reply = await calls.endpoint.get("/models")
    if isinstance(reply, Failure) and reply.transient:
        raise _unusable(calls, name, reply, "")
    if not isinstance(reply, HttpReply) or reply.status != 200:
        return None, "; its context window is not reported"
    try:
        models = json.loads(reply.body)["data"]
        mine = next((m for m in models if m.get("id") == calls.model), models[0] if len(models) == 1 else {})
        window = (mine.get("meta") or {}).get("n_ctx") or mine.get("max_model_len")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        window = None
    if not isinstance(window, int) or window < 2:
        return None, "; its context window is not reported"
    return window - 1, f"; its context window is {window} tokens"  # one is left for the answer


def _drawing(calls: Calls, random: bool) -> list[str]:
    if not random or calls.strict:
        return []
    if calls.dialect.untruncated:
        return ["draws are asked for without top-k, top-p, min-p or repetition penalty, and this is accepted"]
    return ["fields that switch off top-k and min-p are refused: draws may follow a truncated distribution"]
