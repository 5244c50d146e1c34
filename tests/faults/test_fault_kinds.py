"""The stub of the fault campaign: its schedule, its law, and every fault it makes as the harness reads it."""

import json
import math
from collections import Counter

import numpy as np
import pytest
from openai.types import Completion
from openai.types.chat import ChatCompletion

from benchmarks._fault_kinds import BY_NAME, GOOD, KINDS, Kind, Schedule, Way
from benchmarks._fault_law import TOKENS, draws, law, p_target
from benchmarks._fault_replies import Call, Reply, right_reply, spoilt, status_of
from harness.adapters._reading import read_reply
from harness.types import Failure, Prompt, Request, Response

SYMBOLS = (0, 1, 1, 0, 1, 0, 0, 1)
TEXT = "F:0110100"
WAYS: tuple[Way, ...] = ("echo", "top", "draw", "chat")
# What arrives whole with HTTP 200 and is wrong. A reply of another call is right in itself: only its id tells.
SPOILT = [
    (kind, way)
    for kind in KINDS
    for way in kind.ways
    if kind.whole and kind.fate != "scored" and kind.name != "reply of another call"
]


def call_of(way: Way) -> Call:
    text = TEXT + "1" if way == "echo" else TEXT
    top = None if way == "draw" else 3
    return Call(way, way, text, n=8 if way == "draw" else 1, seed=7, top=top, echo=way == "echo", length=1)


def request_of(way: Way) -> Request:
    prompt = Prompt("F:", ("0", "1"), "", SYMBOLS, "chat" if way == "chat" else "completion")
    if way == "echo":
        return Request("prefixes", prompt, (3, 5, 7), top_logprobs=3)
    if way == "draw":
        return Request("samples", prompt, (7,), n=8, seed=7)
    return Request("next_token", prompt, (7,), top_logprobs=3)


def read(way: Way, body: Reply | bytes) -> Response | Failure:
    return read_reply(request_of(way), body if isinstance(body, bytes) else json.dumps(body).encode())


def right(way: Way) -> Reply:
    return right_reply(call_of(way), chat=way == "chat", serial=1)


@pytest.mark.parametrize("way", WAYS)
def test_a_right_reply_is_read_as_the_law_of_the_stub(way: Way) -> None:
    response = read(way, right(way))
    assert isinstance(response, Response)
    if way == "draw":
        assert response.counts is not None
        drawn = Counter(draws(TEXT, 8, 7))
        assert response.counts[0].tolist() == [drawn[token] for token in TOKENS]
        return
    assert response.logprob is not None
    p = np.exp(response.logprob)
    for row, n in zip(p, response.context_lengths, strict=True):
        text, target = "F:" + "".join(map(str, SYMBOLS[:n])), str(SYMBOLS[n])
        assert row[SYMBOLS[n]] / row.sum() == pytest.approx(p_target(text, target), abs=1e-12)


@pytest.mark.parametrize(("kind", "way"), SPOILT, ids=lambda value: getattr(value, "name", value))
def test_a_spoilt_reply_enters_neither_k_nor_n(kind: Kind, way: Way) -> None:
    response = read(way, spoilt(kind, call_of(way), right(way), chat=way == "chat"))
    if isinstance(response, Failure):
        assert kind.fate == "failed"
        return
    if response.counts is not None:
        assert kind.fate == "outside"
        assert response.counts[0, :-1].sum() == 0  # all of it is text that is no symbol
        return
    assert response.logprob is not None
    assert np.isnan(response.logprob).all()
    assert len(response.failures) == len(response.context_lengths)


@pytest.mark.parametrize("way", ["top", "chat"])
def test_the_official_types_accept_what_the_stub_answers(way: Way) -> None:
    kind = ChatCompletion if way == "chat" else Completion
    parsed = kind.model_validate(right(way), strict=False)
    assert parsed.usage is not None
    assert parsed.usage.total_tokens == len(TEXT) + 1


def test_a_fault_follows_from_the_call_and_its_attempt_alone() -> None:
    schedule = Schedule(seed=1, rate=0.3)
    calls = [(f"call {i}", attempt) for i in range(200) for attempt in (1, 2)]
    there = [schedule.kind("top", *call) for call in calls]
    back = [schedule.kind("top", *call) for call in reversed(calls)]
    assert there == back[::-1]
    assert there != [Schedule(seed=2, rate=0.3).kind("top", *call) for call in calls]


@pytest.mark.parametrize("way", WAYS)
def test_faults_come_at_their_rate_and_every_kind_as_often(way: Way) -> None:
    schedule = Schedule(seed=3, rate=0.3)
    n = 6000
    found = Counter(schedule.kind(way, f"call {i}", 1).name for i in range(n))
    faulty = n - found[GOOD.name]
    assert faulty / n == pytest.approx(0.3, abs=4 * math.sqrt(0.3 * 0.7 / n))
    known = [kind.name for kind in KINDS if way in kind.ways]
    share = faulty / len(known)
    assert all(abs(found[name] - share) < 5 * math.sqrt(share) for name in known)


def test_a_call_that_fails_for_good_fails_at_every_attempt() -> None:
    schedule = Schedule(seed=4, rate=0.3, lasting=0.05)
    firsts = [schedule.kind("top", f"call {i}", 1) for i in range(2000)]
    lasting = [
        i for i in range(2000) if len({schedule.kind("top", f"call {i}", a) for a in range(1, 9)}) == 1
        and firsts[i] is not GOOD
    ]  # fmt: skip
    assert len(lasting) / 2000 == pytest.approx(0.05, abs=0.02)
    assert {firsts[i].whole for i in lasting} == {False}


def test_every_kind_says_whether_it_is_an_http_error() -> None:
    for kind in BY_NAME.values():
        answered = status_of(kind)
        assert answered is None or (not kind.billed and answered[0] >= 400)


def test_the_law_is_a_distribution() -> None:
    for i in range(50):
        p = law(f"{TEXT}{i}")
        assert sum(p.values()) == pytest.approx(1.0)
        assert all(value > 0.04 for value in p.values())
