"""A request has one identity: the same on any machine, different when anything that is asked differs."""

from dataclasses import replace

import pytest

from harness.requests import request_digest, request_json
from harness.types import Prompt, Request

PROMPT = Prompt("", ("0", "1"), "", (0, 1, 1, 0))
REQUEST = Request("prefixes", PROMPT, (0, 1, 2, 3))


def test_the_digest_is_pinned() -> None:
    """A stored run is found again by these digests: changing them pays for everything twice."""
    digest = request_digest("mock/m", "f", REQUEST).hex()
    assert digest == "24118477f5f9ff4dcf1eca1a5c0b84c4d8b241f572df9644968274c7992c285a"


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, way="next_token"),
        replace(REQUEST, context_lengths=(0, 1, 3)),
        replace(REQUEST, top_logprobs=5),
        replace(REQUEST, n=1),
        replace(REQUEST, seed=1),
        replace(REQUEST, prompt=replace(PROMPT, header="Q:")),
        replace(REQUEST, prompt=replace(PROMPT, surfaces=("a", "b"))),
        replace(REQUEST, prompt=replace(PROMPT, between=",")),
        replace(REQUEST, prompt=replace(PROMPT, symbols=(0, 1, 1, 1))),
        replace(REQUEST, prompt=replace(PROMPT, form="chat")),
        replace(REQUEST, prompt=replace(PROMPT, footer="?")),
        replace(REQUEST, prompt=replace(PROMPT, written=("a", "b"))),
    ],
)
def test_anything_that_differs_changes_the_digest(other: Request) -> None:
    assert request_digest("mock/m", "f", other) != request_digest("mock/m", "f", REQUEST)


def test_model_and_fingerprint_are_part_of_the_identity() -> None:
    digests = {request_digest(m, f, REQUEST) for m, f in [("a", "b"), ("a", "c"), ("ab", ""), ("b", "b")]}
    assert len(digests) == 4


def test_runs_of_lengths_are_written_short() -> None:
    text = request_json(replace(REQUEST, context_lengths=(*range(257), 300)))
    assert '"context_lengths":[[0,256],[300,300]]' in text
