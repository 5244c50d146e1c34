"""A checkpoint on this machine as a `Model`: exact next-symbol distributions at every context length."""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Sequence as Seq
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from harness.errors import ContextTooLong, SpecError, TokenizationError
from harness.local_models.alignment import Aligned, Aligner, Row
from harness.local_models.loading import LoadedModel, load_checkpoint
from harness.local_models.replies import pack_counts, pack_logprobs
from harness.local_models.scoring import RowJob, draw_next, score_rows
from harness.local_models.texts import NO_MEMORY, NO_TOKEN, TextWriter, attempt
from harness.local_models.tokens import token_texts
from harness.types import Capabilities, Failure, Floats, Form, Prompt, Reply, Request
from harness.types.whitebox import Arrays, Job, WhiteBoxStudy

_MAX_SAMPLES = 1 << 20
_SMALL = 5_000_000  # parameters; below it a second thread costs more than it brings


@dataclass(frozen=True, slots=True)
class _Job:
    """One row of one request of a `send`."""

    request: int
    scored: RowJob


class LocalModel:
    """A causal language model loaded in this process; see `harness.types.Model`.

    Runs in a worker thread, one batch at a time. Results do not depend on the
    order or number of requests beyond rounding (about 1e-6 nat in float32).
    """

    def __init__(self, loaded: LoadedModel, *, batch_size: int | None = None) -> None:
        if batch_size is not None and batch_size < 1:
            raise SpecError(f"batch_size={batch_size!r} is not at least 1")
        self.loaded = loaded
        self._batch_size = batch_size or _fitting_batch(loaded)
        self._aligner = Aligner(loaded.tokenizer, loaded.max_tokens)
        self._texts = TextWriter(loaded, self._aligner, self.name, self._batch_size)
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        """The full name, `local/NAME`."""
        return f"local/{self.loaded.checkpoint.name}"

    @property
    def fingerprint(self) -> str:
        """Digest of weights, configuration and tokenizer, and the dtype."""
        return self.loaded.fingerprint

    @property
    def batch_size(self) -> int:
        """Rows of one forward pass; halved when a CUDA device runs out of memory."""
        return self._batch_size

    @property
    def n_layers(self) -> int:
        """Number of blocks."""
        return int(self.loaded.model.config.get_text_config().num_hidden_layers)

    def look_inside(self, kind: str, study: WhiteBoxStudy, job: Job) -> Arrays:
        """Make one white-box measurement: see `local_models/whitebox/study.py`."""
        from harness.local_models.whitebox.study import measure

        with self._lock:
            return measure(self.loaded, kind, study, job)

    @property
    def attempts(self) -> int:
        """One: what fails here fails again."""
        return 1

    @property
    def settings(self) -> dict[str, str]:
        """Device, dtype, batch size, threads and versions."""
        import torch
        import transformers

        return {
            "device": self.loaded.device,
            "dtype": self.loaded.dtype,
            "batch_size": str(self._batch_size),
            "parameters": str(self.loaded.parameters),
            "max_tokens": str(self.loaded.max_tokens),
            "threads": str(torch.get_num_threads()),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        }

    def check(self, request: Request) -> None:
        """Raise TokenizationError, ContextTooLong or RenderError if no exact answer is possible."""
        if request.way == "generation":
            self._aligner.context(request)
        else:
            self._aligner.align(request)

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text, BOS included where the tokenizer adds it."""
        return len(self.loaded.tokenizer(text, verbose=False)["input_ids"])

    async def tokens(self, text: str) -> list[str]:
        """Return what each token of a text stands for, without BOS; an unknown one by its name."""
        return token_texts(self.loaded.tokenizer, text)

    async def probe(self, surfaces: Seq[str], between: str, form: Form = "completion") -> Capabilities:
        """Establish whether one pass scores every prefix as scoring the prefix alone does."""
        del form  # chat prompts are scored one length a row by the same pass
        prompt = Prompt("", tuple(surfaces), between, tuple(i % len(surfaces) for i in range(8)))
        difference = await asyncio.to_thread(self._prefix_error, prompt.text(8))
        # A model that sees what follows (BERT, say) loads as a causal one and differs by whole nats.
        causal = difference <= (1e-3 if self.loaded.dtype == "float32" else 0.1)
        relation = "equals" if causal else "differs from"
        findings = [
            f"one pass {relation} scoring each prefix alone (largest difference {difference:.1e} nat)",
            "the whole next-token distribution is read; a seed gives the same samples",
        ]
        try:
            self._aligner.align(Request("prefixes", prompt, (8,)))
        except (TokenizationError, ContextTooLong) as error:
            findings.append(f"these symbols cannot be scored: {error}")
        return Capabilities(
            prefixes=causal,
            top_logprobs=int(self.loaded.model.config.get_text_config().vocab_size),
            full=True,
            max_samples=_MAX_SAMPLES,
            seed=True,
            max_context_tokens=self.loaded.max_tokens,
            prefill=True,
            tokenizer=True,
            findings=tuple(findings),
        )

    async def send(self, requests: Seq[Request]) -> list[Reply | Failure]:
        """Answer each request, in order; what one request meets is its own Failure."""
        return await asyncio.to_thread(self._answer, list(requests))

    async def send_within(
        self, requests: Seq[Request], around: Callable[[], AbstractContextManager[None]]
    ) -> list[Reply | Failure]:
        """Answer requests inside a context, such as an intervention, while no other pass of this model runs."""

        def answer() -> list[Reply | Failure]:
            with self._lock, around():
                return self._answer(list(requests))

        return await asyncio.to_thread(answer)

    async def close(self) -> None:
        """Release the model's memory; the model cannot be used afterwards."""
        import torch

        with self._lock:
            self.loaded.model.to("meta")
            if self.loaded.device.startswith("cuda"):
                torch.cuda.empty_cache()

    def _answer(self, requests: list[Request]) -> list[Reply | Failure]:
        """Answer requests for numbers and requests for texts, each kind together."""
        texts = [i for i, request in enumerate(requests) if request.way == "generation"]
        others = [i for i, request in enumerate(requests) if request.way != "generation"]
        answers = dict(zip(others, self._measure([requests[i] for i in others]), strict=True))
        with self._lock:
            answers |= dict(zip(texts, self._texts.write([requests[i] for i in texts]), strict=True))
        return [answers[i] for i in range(len(requests))]

    def _measure(self, requests: list[Request]) -> list[Reply | Failure]:
        started = time.monotonic()
        with self._lock:
            aligned = [attempt(self._aligner.align, request) for request in requests]
            ready = [(i, a) for i, a in enumerate(aligned) if isinstance(a, Aligned)]
            exact = [(i, a) for i, a in ready if requests[i].way != "samples"]
            scores = self._score([_Job(i, RowJob(row, a.symbol_ids)) for i, a in exact for row in a.rows])
            raws = {i: _pack(requests[i], a, scores[i]) for i, a in exact}
            raws |= {i: self._sample(requests[i], a) for i, a in ready if requests[i].way == "samples"}
        seconds = (time.monotonic() - started) / max(1, len(requests))
        return [
            self._reply(request, a, raws[i], seconds) if isinstance(a, Aligned) else a
            for i, (request, a) in enumerate(zip(requests, aligned, strict=True))
        ]

    def _reply(
        self, request: Request, aligned: Aligned, raw: bytes | Failure, seconds: float
    ) -> Reply | Failure:
        if isinstance(raw, Failure):
            return raw
        prompt_tokens = sum(len(row.tokens) for row in aligned.rows)
        completion = request.n if request.way == "samples" else 0
        return Reply(raw, prompt_tokens, completion, self.name, attempts=1, seconds=seconds)

    def _sample(self, request: Request, aligned: Aligned) -> bytes | Failure:
        if len(request.context_lengths) != 1:
            return Failure("request", f"samples at {request.context_lengths!r}: ask for one context length")
        (row,) = aligned.rows
        if row.positions[0] < 0:
            return Failure("tokenization", NO_TOKEN)
        if request.seed is None or not 0 < request.n <= _MAX_SAMPLES:
            return Failure("request", f"n={request.n!r}, seed={request.seed!r}: samples need both")
        counts = draw_next(self.loaded.model, RowJob(row, aligned.symbol_ids), request.n, request.seed)
        return pack_counts(request.context_lengths, counts[None])

    def _score(self, jobs: list[_Job]) -> dict[int, list[Floats | None]]:
        """Return the scores of each request's rows, like lengths run together; None where memory ran out."""
        import torch

        order = sorted(range(len(jobs)), key=lambda k: len(jobs[k].scored.row.tokens))
        done: dict[int, Floats | None] = {}
        while len(done) < len(jobs):
            batch = order[len(done) : len(done) + self._batch_size]
            try:
                done.update(
                    zip(batch, score_rows(self.loaded.model, [jobs[k].scored for k in batch]), strict=True)
                )
            except torch.cuda.OutOfMemoryError:
                torch.cuda.empty_cache()
                if self._batch_size == 1:
                    done[batch[0]] = None
                self._batch_size = max(1, self._batch_size // 2)
        scores: dict[int, list[Floats | None]] = defaultdict(list)
        for k, job in enumerate(jobs):
            scores[job.request].append(done[k])
        return scores

    def _prefix_error(self, text: str) -> float:
        """Return the largest difference in log p between one pass and one pass a prefix."""
        tokens = tuple(self.loaded.tokenizer(text, verbose=False)["input_ids"])
        ids = tuple(sorted(set(tokens)))
        places = tuple(range(len(tokens)))
        rows = [Row(tokens, places, places)] + [Row(tokens[: p + 1], (p,), (p,)) for p in places]
        with self._lock:
            whole, *alone = (score_rows(self.loaded.model, [RowJob(row, ids)])[0] for row in rows)
        return float(np.max(np.abs(whole - np.concatenate(alone))))


def open_local(
    name: str, *, device: str | None = None, dtype: str | None = None, batch_size: int | None = None
) -> LocalModel:
    """Open the checkpoint `name`: a bundled one, a directory or `organisation/model` of the Hub.

    `device` is CUDA where there is one, else CPU; `dtype` float32 on CPU and the
    checkpoint's own on CUDA; `batch_size` what a fifth of the memory holds. A
    model of under 5 million parameters sets torch to one thread for the process.
    """
    import torch

    loaded = load_checkpoint(name, device=device, dtype=dtype)
    if loaded.device == "cpu" and loaded.parameters < _SMALL:
        torch.set_num_threads(1)
    return LocalModel(loaded, batch_size=batch_size)


def _pack(request: Request, aligned: Aligned, scores: list[Floats | None]) -> bytes | Failure:
    found = [rows for rows in scores if rows is not None]
    if len(found) < len(scores):
        return NO_MEMORY
    positions = [p for row in aligned.rows for p in row.positions]
    without = [(n, NO_TOKEN) for n, p in zip(request.context_lengths, positions, strict=True) if p < 0]
    return pack_logprobs(request.context_lengths, np.concatenate(found), without)


def _fitting_batch(loaded: LoadedModel) -> int:
    """Return how many rows of full length fit: logits and activations of one layer, 4 bytes each, twice."""
    import torch

    config = loaded.model.config.get_text_config()
    positions = min(loaded.max_tokens or 2048, 2048)
    row = positions * 2 * 4 * (int(config.vocab_size) + 16 * int(config.hidden_size))
    free = torch.cuda.mem_get_info()[0] // 5 if loaded.device.startswith("cuda") else 1 << 28
    return int(min(64, max(1, free // row)))
