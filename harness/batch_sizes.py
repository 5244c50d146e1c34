"""How many requests go into one batch."""

import json
from collections.abc import Iterator

from harness.runner import Work

MOST_BYTES = 90_000_000  # of the prompts of one batch: the smallest file a service takes is 100 MB (Together)
_AROUND_BYTES = 512  # of a request besides its prompt: field names, ids
_MOST_ANSWER_BYTES = 200_000_000  # of the answers of one batch, which are read into memory together
_ANSWER_BYTES, _LOGPROB_BYTES = 1_000, 100  # of an answer, and of a token with its log-probability: estimates


def chunks(work: Iterator[Work], most: int, most_bytes: int) -> Iterator[list[Work]]:
    """Yield the requests of one batch after another: as many as may stand in one, by number and by size."""
    chunk: list[Work] = []
    asked = answered = 0
    for one in work:
        request = one.piece.request
        text = request.prompt.instruction + request.prompt.text(request.context_lengths[-1])
        more = len(json.dumps(text)) + _AROUND_BYTES
        tokens = len(request.context_lengths) * request.top_logprobs + request.n
        back = _ANSWER_BYTES + _LOGPROB_BYTES * tokens
        full = len(chunk) == most or asked + more > most_bytes or answered + back > _MOST_ANSWER_BYTES
        if chunk and full:
            yield chunk
            chunk, asked, answered = [], 0, 0
        chunk.append(one)
        asked, answered = asked + more, answered + back
    if chunk:
        yield chunk
