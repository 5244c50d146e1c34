"""What a server can really do, established by asking it: HTTP 200 proves nothing.

Servers ignore echo, n and seed silently, cap the tokens they report, or answer
null where log-probabilities were asked for. Each step looks at what came back
and says it in one sentence. What does not depend on the symbols is asked once
for each form of prompt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness.adapters._bias import probe_bias
from harness.adapters._calls import Calls
from harness.adapters._payload import parse
from harness.adapters._probe_logprobs import Scoring, Top, probe_scoring, probe_top_logprobs
from harness.adapters._probe_pair import probe_pair
from harness.adapters._probe_prefill import Prefill, probe_prefill
from harness.adapters._probe_record import Record
from harness.adapters._probe_sampling import Draws, Several, probe_n, probe_randomness
from harness.adapters._probe_symbols import probe_prompt
from harness.adapters._probe_tokens import Tokens, probe_tokens
from harness.adapters._probe_window import probe_window
from harness.errors import ModelError, RenderError
from harness.types import Capabilities, Failure, Form, Prompt, Request


@dataclass(frozen=True, slots=True)
class FormFindings:
    """What was seen of one form of prompt, whatever the symbols."""

    answered: str  # the sentences about the form, the limit and who answers
    top: Top
    draws: Draws
    several: Several | None
    scoring: Scoring  # of the symbols probed last
    prefill: Prefill | None
    pair: str | None


@dataclass(frozen=True, slots=True)
class Probed:
    """All that was found so far: each probe adds its form and its symbols."""

    capabilities: Capabilities  # of the last probe
    window: tuple[int | None, str]
    tokens: Tokens
    record: Record  # its calls are those of the last probe, its models those of all
    seen: Mapping[Form, FormFindings] = field(default_factory=dict)
    refusal: str = ""  # how completion prompts were refused, "" if they were not

    @property
    def forms(self) -> tuple[Form, ...]:
        """Return the forms of prompt that were seen to be answered, or not seen to be refused."""
        plain: tuple[Form, ...] = ("chat",) if self.refusal else ("completion", "chat")
        begun = any(found.prefill and found.prefill.honoured for found in self.seen.values())
        return (*plain, "prefill") if begun else plain

    def why_not(self, form: Form) -> str:
        """Return why a form of prompt is not among those that are answered."""
        if form != "prefill":
            return self.refusal
        found = next((f.prefill.finding for f in self.seen.values() if f.prefill), None)
        return found or "that it goes on with a begun answer was not seen"


async def probe_server(
    calls: Calls,
    name: str,
    surfaces: tuple[str, ...],
    between: str,
    form: Form | None,
    known: Probed | None = None,
) -> Probed:
    """Find out what the server reports of these symbols; `known` is what earlier probes of it found.

    Raises ModelError if nothing answers, what answers is no completion, a begun
    answer is not gone on with where the form is "prefill", or neither
    log-probabilities nor draws can be had; RenderError where the form is
    "completion" and only chats are answered.
    """
    record = known.record.again() if known else Record(calls, name)
    window = known.window if known else await _window(record)
    refusal, seen = (known.refusal, dict(known.seen)) if known else ("", {})
    form = form or ("chat" if refusal else "completion" if known else None)
    if form is None or form not in seen:
        form, refusal, findings = await _probe_form(record, surfaces, between, form, refusal)
    else:
        findings = await _probe_again(record, seen[form], probe_prompt(surfaces, between, form))
    seen[form] = findings
    prompt = probe_prompt(surfaces, between, form)
    tokens = await probe_tokens(calls, prompt, findings.scoring.response)
    bias = await probe_bias(record, prompt, tokens.ids)
    if bias.honoured:
        calls.dialect = replace(calls.dialect, bias=tuple({**dict(calls.dialect.bias), **tokens.ids}.items()))
    sentences = (
        [findings.answered, record.served() + "; " + window[1]]
        + [f.finding for f in (findings.scoring, findings.top, findings.draws, findings.several) if f]
        + _drawing(calls, findings.draws.random)
        + [f for f in (findings.prefill and findings.prefill.finding, findings.pair) if f]
        + [tokens.finding, bias.finding, *_reasoning(calls), record.spent()]
    )
    capabilities = Capabilities(
        prefixes=findings.scoring.honoured,
        top_logprobs=findings.top.count,
        full=False,
        max_samples=findings.several.count if findings.several else 0,
        seed=findings.draws.seed,
        max_context_tokens=window[0],
        findings=tuple(sentences),
        prefill=findings.prefill is not None and findings.prefill.honoured,
        logit_bias=bias.honoured,
        hidden_tokens=calls.dialect.hidden_tokens,
        answer_tokens=calls.dialect.answer_tokens,
        probe_tokens=(record.prompt_tokens, record.completion_tokens),
    )
    merged = known.tokens.with_more(tokens) if known else tokens
    return Probed(capabilities, window, merged, record, seen, refusal)


async def _probe_form(
    record: Record, surfaces: tuple[str, ...], between: str, form: Form | None, refusal: str
) -> tuple[Form, str, FormFindings]:
    """Return the form that is answered, how completions were refused if they were, and what was found."""
    prefill = None
    if form == "prefill":
        prefill = await probe_prefill(record, probe_prompt(surfaces, between, "completion"))
        if not prefill.honoured:
            raise ModelError(f"{record.name} cannot be measured with form prefill: {prefill.finding}")
    form, refusal, answered = await _served(
        record, probe_prompt(surfaces, between, "completion"), form, refusal
    )
    prompt = probe_prompt(surfaces, between, form)
    top = await probe_top_logprobs(record, prompt)
    scoring = await probe_scoring(record, prompt, top.count)
    draws = await probe_randomness(record, prompt)
    several = await probe_n(record, prompt) if draws.random else None
    if not top.count and several is None:
        raise ModelError(f"{record.name} cannot be measured with: {top.finding}; {draws.finding}")
    if form == "chat" and prefill is None:
        prefill = await probe_prefill(record, prompt)
    pair = None if refusal else await probe_pair(record, prompt, top.reply, top.count)
    return form, refusal, FormFindings(answered, top, draws, several, scoring, prefill, pair)


async def _probe_again(record: Record, findings: FormFindings, prompt: Prompt) -> FormFindings:
    """Return what is known of a form with what other symbols change: how the prompt is scored."""
    before = findings.scoring
    if not (before.honoured or before.again):
        return findings
    return replace(
        findings,
        scoring=await probe_scoring(record, prompt, findings.top.count, known=before.honoured),
    )


async def _served(record: Record, prompt: Prompt, form: Form | None, refusal: str) -> tuple[Form, str, str]:
    """Return the form of prompt that is answered, how completions were refused, and the sentence about it.

    Raises RenderError where completions were asked for and only chats are answered.
    """
    for candidate in (form,) if form and form != "completion" else ("completion", "chat"):
        asked = probe_prompt(prompt.surfaces, prompt.between, candidate)
        reply = await record.send(Request("samples", asked, (4,), n=1, seed=1))
        if isinstance(reply, Failure):
            if reply.kind == "request" and candidate == "completion":
                refusal = f"completion prompts are not: {reply.detail}"
                continue
            raise record.unusable(reply, refusal)
        payload = parse(reply.raw)
        if isinstance(payload, Failure):
            url = record.calls.endpoint.base_url
            raise ModelError(f"{record.name}: what answers at {url} is not a model: {payload.detail}")
        if form == "completion" and candidate == "chat":
            raise RenderError(
                f"{record.name} answers chats; {refusal}; set render: {{form: chat}} in the suite"
            )
        answered = f"{candidate} prompts are answered" + (f" ({refusal})" if refusal else "")
        return candidate, refusal, answered + _limit(record.calls, reply.completion_tokens)
    raise AssertionError("unreachable: the last candidate returns or raises")


async def _window(record: Record) -> tuple[int | None, str]:
    window = await probe_window(record.calls)
    if isinstance(window, Failure):  # a server that is down is said to be at once
        raise record.unusable(window)
    return window


def _limit(calls: Calls, completion_tokens: int | None) -> str:
    """Return what is to be said of the limit on tokens. A limit of 0, which some take for none, is never sent."""
    asked = calls.dialect.limit
    if completion_tokens is None or completion_tokens <= asked:
        return ""
    return (
        f"; the limit on tokens is not kept: {asked} asked for and {completion_tokens} billed, so that every price "
        "said beforehand is too low"
    )


def _drawing(calls: Calls, random: bool) -> list[str]:
    if not random or calls.strict:
        return []
    if calls.dialect.untruncated:
        return ["draws are asked for without top-k, top-p, min-p or repetition penalty, and this is accepted"]
    return ["fields that switch off top-k and min-p are refused: draws may follow a truncated distribution"]


def _reasoning(calls: Calls) -> list[str]:
    dialect = calls.dialect
    said = []
    if dialect.hidden_tokens:
        said.append(
            f"this model reasons before it answers: it spends up to {dialect.hidden_tokens} hidden tokens a draw, "
            "which are paid for"
        )
    if not dialect.temperature:
        said.append("a temperature is refused: draws follow the service's own, which is documented as 1")
    return said
