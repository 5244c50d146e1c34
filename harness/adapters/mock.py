"""Models with a known true curve: `mock/logistic?location=40&width=12`, `mock/step?location=8` and the like.

They cost nothing, need no network and answer in the wire format of a real
server, so that whatever reads them is what reads a paid model. The target's
probability follows the curve (`logistic`, `step` or `flat`) and the rest is spread evenly over the other
symbols. `mock/observer?family=periodic` predicts as the ideal observer of that
task family does (`name=kt`: as another of its observers; the family's
parameters go by their names). Options of every curve: `noise` (standard
deviation of a shift of the logit, drawn once per sequence; texts are written without), `fail` (fraction of
calls that fail, by a mix of kinds), `ways` (`prefixes`, `next_token` or `samples`: the best way it
offers), `n_max` (draws per request) and `seed`. Where a mock writes a text of
its own (way "generation"), the curve is that of the first symbol. The same name
gives the same answers on any machine.
"""

import hashlib
import json
import math
from collections.abc import Sequence as Seq
from statistics import NormalDist

from harness.adapters._echo import through_target
from harness.adapters._mock_curves import Mock, parse_mock, shifted, wanted
from harness.adapters._mock_texts import write
from harness.adapters._reading import read_reply
from harness.types import Capabilities, Failure, FailureKind, Floats, Form, Prompt, Reply, Request, Response

_FAILURES: tuple[FailureKind, ...] = ("server", "filtered", "refused", "truncated")


def open_model(name: str) -> "MockModel":
    """Return the mock model that `name` describes. Raises UnknownName or SpecError."""
    return MockModel(name, parse_mock(name))


def read(request: Request, raw: bytes) -> Response | Failure:
    """Return what a stored reply says; pure."""
    return read_reply(request, raw, numbered=False)  # every choice of a mock is number 0


class MockModel:
    """A model whose p(target) is known at every context length."""

    batch_size = 1
    attempts = 1

    def __init__(self, name: str, mock: Mock) -> None:
        self.name = f"mock/{name}"
        self.fingerprint = "mock"
        self._mock = mock
        self._seed = f"{mock.options['seed']:g}"

    @property
    def settings(self) -> dict[str, str]:
        """Every option, defaults included."""
        options = {key: f"{value:g}" for key, value in self._mock.options.items()}
        return {"curve": self._mock.curve, "ways": self._mock.way, **options}

    async def probe(
        self,
        surfaces: Seq[str],
        between: str,
        form: Form = "completion",
    ) -> Capabilities:
        """Return what the name says; every declared symbol is reported."""
        del between, form
        exact = self._mock.way != "samples"
        return Capabilities(
            prefixes=self._mock.way == "prefixes",
            top_logprobs=len(surfaces) if exact else 0,
            full=exact,
            max_samples=int(self._mock.options["n_max"]),
            seed=True,
            max_context_tokens=None,
            prefill=True,
            tokenizer=True,
            findings=(f"a mock with a known curve; its best way is {self._mock.way}",),
        )

    def check(self, request: Request) -> None:
        """Accept everything: each symbol is one token and there is no window."""

    def count_tokens(self, text: str) -> int | None:
        """Return the number of characters: a mock bills them as tokens."""
        return len(text)

    def true_p(self, prompt: Prompt, context_length: int) -> float:
        """Return p(target) of this sequence after `context_length` symbols, noise included."""
        u = _uniform(self._seed, "noise", prompt.header, prompt.symbols)
        shift = self._mock.options["noise"] * NormalDist().inv_cdf(min(max(u, 1e-12), 1 - 1e-12))
        return shifted(float(self.law(prompt, context_length)[wanted(prompt, context_length)]), shift)

    def law(self, prompt: Prompt, context_length: int) -> Floats:
        """Return the next-symbol distribution after a context, before noise: shape (n_symbols,)."""
        return self._mock.law(prompt, context_length)

    async def send(self, requests: Seq[Request]) -> list[Reply | Failure]:
        """Answer each request, in order."""
        return [self._answer(request) for request in requests]

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _answer(self, request: Request) -> Reply | Failure:
        prompt = request.prompt
        key = (prompt.header, prompt.symbols, request.context_lengths, request.n, request.seed)
        u = _uniform(self._seed, "fail", *key)
        if u < self._mock.options["fail"]:
            kind = _FAILURES[int(u / self._mock.options["fail"] * len(_FAILURES))]
            return Failure(kind, "a mock failure, as its name asks for", 5 if kind == "server" else 1)
        n = request.context_lengths[-1]
        match request.way:
            case "prefixes":
                text, choices = through_target(prompt, n), [_choice("", _echoed(self, prompt, n))]
            case "next_token":
                top = _law(self, prompt, n)
                best = max(top, key=lambda surface: top[surface])
                logprobs = {"tokens": [best], "token_logprobs": [top[best]], "top_logprobs": [top]}
                text, choices = prompt.text(n), [_choice(best, logprobs)]
            case "samples":
                uniforms = [_uniform(self._seed, "draw", *key, i) for i in range(request.n)]
                text, choices = prompt.text(n), [_choice(_drawn(self, prompt, n, u), None) for u in uniforms]
            case "generation":
                uniforms = [_uniform(self._seed, "write", *key, i) for i in range(request.length)]
                text, choices = prompt.text(n), [_choice(write(self.law, prompt, n, uniforms), None)]
        usage = {"prompt_tokens": len(text), "completion_tokens": max(1, request.n, request.length)}
        body = {"model": self.name, "choices": choices, "usage": usage}
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return Reply(raw, usage["prompt_tokens"], usage["completion_tokens"], self.name, 1, 0.0)


def _law(model: MockModel, prompt: Prompt, context_length: int) -> dict[str, float]:
    """Return the log-probability of every surface after a context."""
    law, target = model.law(prompt, context_length), wanted(prompt, context_length)
    p = model.true_p(prompt, context_length)
    others = 1 - law[target] or float(sum(law) - law[target])  # certain but for what stands for impossible
    rest = (1 - p) / max(1e-300, others)  # noise moves the target; the others keep their proportions
    return {s: math.log(p if i == target else law[i] * rest) for i, s in enumerate(prompt.surfaces)}


def _drawn(model: MockModel, prompt: Prompt, context_length: int, u: float) -> str:
    for surface, logprob in _law(model, prompt, context_length).items():
        u -= math.exp(logprob)
        if u < 0:
            return surface
    return prompt.surfaces[-1]  # the probabilities sum to 1 but for rounding


def _echoed(model: MockModel, prompt: Prompt, longest: int) -> dict[str, object]:
    """Return legacy log-probabilities of a whole prompt: BOS, the header, then symbols and separators."""
    rows: list[tuple[str, float | None, dict[str, float] | None]] = [("<s>", None, None)]
    if prompt.header:
        rows.append((prompt.header, -1.0, {prompt.header: -1.0}))
    for n in range(longest + 1):
        top, surface = _law(model, prompt, n), prompt.surfaces[prompt.symbols[n]]
        rows.append((surface, top[surface], top))
        if prompt.between and n < longest:
            rows.append((prompt.between, -1.0, {prompt.between: -1.0}))
    offsets = [0]
    for token, _, _ in rows[:-1]:
        offsets.append(offsets[-1] + len(token))
    tokens, own, tops = zip(*rows, strict=True)
    return {"tokens": tokens, "token_logprobs": own, "top_logprobs": tops, "text_offset": offsets}


def _choice(text: str, logprobs: dict[str, object] | None) -> dict[str, object]:
    return {"text": text, "index": 0, "logprobs": logprobs, "finish_reason": "length"}


def _uniform(*key: object) -> float:
    """Return a number in [0, 1) that depends on the key alone."""
    digest = hashlib.sha256(repr(key).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
