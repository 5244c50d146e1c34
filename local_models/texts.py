"""Requests for texts put to a local model: their contexts as tokens, those of one length together, as replies."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from harness.errors import ContextTooLong, ModelError, SpecError, TokenizationError
from harness.local_models.alignment import Aligner
from harness.local_models.loading import LoadedModel
from harness.local_models.replies import pack_text
from harness.local_models.writing import Text, TextJob, write_texts
from harness.types import Failure, Reply, Request

NO_TOKEN = "the empty context has no token to predict from: the tokenizer adds no BOS"
NO_MEMORY = Failure("overflow", "out of GPU memory with one row a batch: use a shorter context or float16")
_OPENING = 16  # characters of a text besides its symbols: a bracket, a line break, a few words
T = TypeVar("T")


class TextWriter:
    """Lets one loaded model write; `name` and `batch_size` are as the model has them."""

    def __init__(self, loaded: LoadedModel, aligner: Aligner, name: str, batch_size: int) -> None:
        self._loaded, self._aligner, self._name = loaded, aligner, name
        self._batch_size = batch_size

    def write(self, requests: Sequence[Request]) -> list[Reply | Failure]:
        """Answer each request of way "generation", in order."""
        started = time.monotonic()
        jobs = [attempt(self._job, request) for request in requests]
        texts = self._texts({i: job for i, job in enumerate(jobs) if isinstance(job, TextJob)})
        seconds = (time.monotonic() - started) / max(1, len(requests))
        return [
            self._reply(request, job, texts[i], seconds) if isinstance(job, TextJob) else job
            for i, (request, job) in enumerate(zip(requests, jobs, strict=True))
        ]

    def _job(self, request: Request) -> TextJob:
        tokens = self._aligner.context(request)
        if not tokens:
            raise TokenizationError(NO_TOKEN)
        if request.seed is None or request.length < 1:
            raise SpecError(f"length={request.length!r}, seed={request.seed!r}: a text needs both")
        longest = max(len(surface + request.prompt.between) for surface in request.prompt.surfaces)
        room = request.text_tokens
        if self._loaded.max_tokens is not None:
            room = min(room, self._loaded.max_tokens - len(tokens))
        return TextJob(tokens, request.seed, request.length * longest + _OPENING, room)

    def _texts(self, jobs: dict[int, TextJob]) -> dict[int, Text | None]:
        """Return the text of each job, those with contexts of one length together; None where memory ran out."""
        import torch

        waiting = sorted(jobs, key=lambda i: len(jobs[i].tokens))
        done: dict[int, Text | None] = {}
        while waiting:
            alike = [i for i in waiting if len(jobs[i].tokens) == len(jobs[waiting[0]].tokens)]
            batch = alike[: self._batch_size]
            try:
                found = write_texts(self._loaded.model, self._loaded.tokenizer, [jobs[i] for i in batch])
                done.update(zip(batch, found, strict=True))
            except torch.cuda.OutOfMemoryError:
                torch.cuda.empty_cache()
                if self._batch_size == 1:
                    done[batch[0]] = None
                self._batch_size = max(1, self._batch_size // 2)
            waiting = [i for i in waiting if i not in done]
        return done

    def _reply(self, request: Request, job: TextJob, text: Text | None, seconds: float) -> Reply | Failure:
        if text is None:
            return NO_MEMORY
        raw = pack_text(request.context_lengths, text.text, ended=text.ended)
        return Reply(raw, len(job.tokens), text.tokens, self._name, attempts=1, seconds=seconds)


def attempt(prepare: Callable[[Request], T], request: Request) -> T | Failure:
    """Return a request made ready, or the failure of one that cannot be answered."""
    try:
        return prepare(request)
    except ContextTooLong as error:
        return Failure("overflow", str(error))
    except TokenizationError as error:
        return Failure("tokenization", str(error))
    except (ModelError, SpecError) as error:
        return Failure("request", str(error))
