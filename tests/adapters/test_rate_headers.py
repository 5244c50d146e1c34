"""Rate limit headers: every provider's way of writing them, and junk, which says nothing."""

import json
from datetime import UTC, datetime
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters._rate_headers import Allowance, allowances, retry_after
from harness.adapters._transport import HttpReply

NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
FAMILIES = {
    "openai": (
        {
            "x-ratelimit-limit-requests": "5000",
            "x-ratelimit-remaining-requests": "4999",
            "x-ratelimit-reset-requests": "12ms",
            "x-ratelimit-limit-tokens": "160000",
            "x-ratelimit-remaining-tokens": "159976",
            "x-ratelimit-reset-tokens": "6m0s",
        },
        [Allowance("requests", 5000, 4999, 0.012), Allowance("tokens", 160000, 159976, 360)],
    ),
    "groq": (
        {
            "x-ratelimit-limit-requests": "14400",
            "x-ratelimit-remaining-requests": "14370",
            "x-ratelimit-reset-requests": "2m59.56s",
        },
        [Allowance("requests", 14400, 14370, 179.56)],
    ),
    "azure, which leaves half of it out": (
        {"x-ratelimit-remaining-requests": "79", "x-ratelimit-remaining-tokens": "-1"},
        [Allowance("requests", None, 79, None)],
    ),
    "azure, in seconds": (
        {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "55"},
        [Allowance("tokens", None, 0, 55)],
    ),
    "mistral": (
        {
            "x-ratelimit-limit-req-minute": "125",
            "x-ratelimit-remaining-req-minute": "124",
            "x-ratelimit-limit-tokens-minute": "625000",
            "x-ratelimit-remaining-tokens-minute": "624990",
        },
        [Allowance("requests", 125, 124, None), Allowance("tokens", 625000, 624990, None)],
    ),
    "mistral, by size": (
        {
            "ratelimitbysize-limit": "500000",
            "ratelimitbysize-remaining": "499900",
            "ratelimitbysize-reset": "28",
        },
        [Allowance("tokens", 500000, 499900, 28)],
    ),
    "together": (
        {
            "x-ratelimit-limit": "10",
            "x-ratelimit-remaining": "9",
            "x-ratelimit-reset": "1",
            "x-tokenlimit-limit": "3000",
            "x-tokenlimit-remaining": "2990",
        },
        [Allowance("requests", 10, 9, 1), Allowance("tokens", 3000, 2990, None)],
    ),
    "anthropic": (
        {
            "anthropic-ratelimit-requests-limit": "50",
            "anthropic-ratelimit-requests-remaining": "49",
            "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:02Z",
            "anthropic-ratelimit-input-tokens-limit": "40000",
            "anthropic-ratelimit-input-tokens-remaining": "39000",
            "anthropic-ratelimit-input-tokens-reset": "2026-01-01T01:00:30+01:00",
            "anthropic-ratelimit-output-tokens-limit": "8000",
            "anthropic-ratelimit-output-tokens-remaining": "0",
            "anthropic-ratelimit-output-tokens-reset": "2025-12-31T23:59:00Z",
        },
        [
            Allowance("requests", 50, 49, 2),
            Allowance("input-tokens", 40000, 39000, 30),
            Allowance("output-tokens", 8000, 0, 0),
        ],
    ),
    "openrouter, in milliseconds since 1970": (
        {
            "x-ratelimit-limit": "20",
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": str(int(NOW * 1000) + 4500),
        },
        [Allowance("requests", 20, 0, 4.5)],
    ),
    "gateways, in seconds since 1970": (
        {"x-ratelimit-remaining": "3", "x-ratelimit-reset": str(int(NOW) + 60)},
        [Allowance("requests", None, 3, 60)],
    ),
    "the ietf draft": (
        {"ratelimit-limit": "100, 100;w=60", "ratelimit-remaining": "7", "ratelimit-reset": "13"},
        [Allowance("requests", 100, 7, 13)],
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_provider_is_understood(family: str) -> None:
    headers, expected = FAMILIES[family]
    got = list(allowances(headers, NOW).values())
    assert [a._replace(reset_s=None) for a in got] == [a._replace(reset_s=None) for a in expected]
    assert [a.reset_s for a in got] == pytest.approx([a.reset_s for a in expected], abs=1e-6)


@pytest.mark.parametrize("junk", ["", " ", "-1", "nan", "inf", "1e9", "many", "0x10", "1s2", "٣", "5 apples"])
def test_a_remaining_that_is_no_number_says_nothing(junk: str) -> None:
    assert allowances({"x-ratelimit-remaining-requests": junk}, NOW) == {}


@pytest.mark.parametrize("junk", ["", "soon", "-3s", "1s ago", "2026-13-45T00:00:00Z", "T", "1.2.3s", "s"])
def test_a_reset_that_is_no_time_says_nothing(junk: str) -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": junk}
    assert list(allowances(headers, NOW).values()) == [Allowance("requests", None, 0, None)]


@given(st.text(max_size=40), st.text(max_size=40), st.binary(max_size=80))
def test_nothing_a_server_writes_raises(value: str, reset: str, body: bytes) -> None:
    headers = {
        "x-ratelimit-remaining": value,
        "x-ratelimit-reset": reset,
        "ratelimit-limit": value,
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": reset,
    }
    for allowance in allowances(headers, NOW).values():
        assert allowance.remaining >= 0
        assert allowance.reset_s is None or allowance.reset_s >= 0
    for extra in ({}, {"retry-after": value}, {"retry-after-ms": reset}):
        asked = retry_after(HttpReply(429, {**headers, **extra}, body), NOW)
        assert asked is None or asked >= 0


def google(delay: object) -> bytes:
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    quota = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []}
    error = {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [quota, retry]}
    return json.dumps({"error": error}).encode()


def openrouter(reset_ms: float) -> bytes:
    quoted = {
        "X-RateLimit-Limit": "50",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(reset_ms)),
    }
    return json.dumps({"error": {"code": 429, "metadata": {"headers": quoted}}}).encode()


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after": "7"}, b"", 7),
        ({"retry-after": "1.5"}, b"", 1.5),
        ({"retry-after": formatdate(NOW + 9, usegmt=True)}, b"", 9),
        ({"retry-after": formatdate(NOW - 9, usegmt=True)}, b"", 0),
        ({"retry-after-ms": "250", "retry-after": "1"}, b"", 0.25),
        ({"retry-after-ms": "soon", "retry-after": "1"}, b"", 1),
        ({}, google("34s"), 34),
        ({}, google("34.074824224s"), 34.074824224),
        ({}, b"[" + google("34s") + b"]", 34),
        ({}, openrouter(NOW * 1000 + 3000), 3),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "55"}, b"", 55),
        (
            {
                "x-ratelimit-remaining-requests": "12",
                "x-ratelimit-reset-requests": "9m",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "2s",
            },
            b"",
            2,
        ),
        ({"retry-after": "soon"}, b"", None),
        ({}, google("soon"), None),
        ({}, google(34), None),
        ({}, b"", None),
        ({}, b'{"error": "slow down"}', None),
        ({}, b"[" * 100_000, None),
    ],
)
def test_the_wait_a_refusal_asks_for(headers: dict[str, str], body: bytes, seconds: float | None) -> None:
    assert retry_after(HttpReply(429, headers, body), NOW) == pytest.approx(seconds, abs=1e-6)
