"""Lines of requests and results: numbers survive, order and damage do not matter."""

import json
import math

import pytest

from harness.adapters._batch_lines import Asked, read_lines, write_lines
from harness.adapters._batch_service import MISTRAL, OPENAI, file_name
from harness.adapters._transport import HttpReply, Upload
from harness.types import Failure


def result(key: str, body: object, status: int = 200) -> bytes:
    return json.dumps({"custom_id": key, "response": {"status_code": status, "body": body}}).encode() + b"\n"


@pytest.mark.parametrize("number", [-0.12345678901234567, 5e-324, -math.inf, 2**53 + 1, 0.1 + 0.2])
def test_a_number_comes_out_as_it_went_in(number: float) -> None:
    outcome = read_lines(result("a", {"logprob": number})).outcomes["a"]
    assert isinstance(outcome, HttpReply)
    assert json.loads(outcome.body) == {"logprob": number}


@pytest.mark.parametrize("text", ["é☃\U0001f600", "\ud800", 'a"b\\c', "line\nbreak\u2028"])
def test_a_text_comes_out_as_it_went_in(text: str) -> None:
    outcome = read_lines(result("a", {"text": text})).outcomes["a"]
    assert isinstance(outcome, HttpReply)
    assert json.loads(outcome.body) == {"text": text}
    sent = write_lines([Asked("a", "/completions", {"prompt": text})], MISTRAL)
    assert sent.count(b"\n") == 1
    assert json.loads(sent) == {"custom_id": "a", "body": {"prompt": text}}


def test_a_line_of_openai_says_where_to() -> None:
    sent = write_lines([Asked("a", "/responses", {"n": 1}), Asked("b", "/responses", {"n": 2})], OPENAI)
    first, second = map(json.loads, sent.splitlines())
    assert first == {"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": {"n": 1}}
    assert second["body"] == {"n": 2}


def test_of_two_lines_the_first_stands_but_an_answer_goes_before_an_error() -> None:
    first, second, bad = result("a", 1), result("a", 2), result("a", {}, 500)
    for content in (first + second, bad + first + second, first + bad, first + second + bad):
        outcome = read_lines(content).outcomes["a"]
        assert isinstance(outcome, HttpReply)
        assert outcome.body == b"1"


@pytest.mark.parametrize(
    "damage",
    [b'{"custom_id": "b", "resp', b"<html>", b"\xff\xfe", b"[1, 2]", b'{"custom_id": 7}', b"[" * 100_000],
)
def test_a_damaged_line_is_counted_and_costs_no_other(damage: bytes) -> None:
    results = read_lines(result("a", 1) + damage + b"\n\n" + result("c", 3))
    assert set(results.outcomes) == {"a", "c"}
    assert results.unread == 1


def test_an_empty_file_holds_nothing() -> None:
    assert read_lines(b"").outcomes == {}


@pytest.mark.parametrize(
    "error",
    [
        "words",
        {"code": "strange", "message": None},
        {"message": "only words"},
        {"code": 400, "message": "bad"},
    ],
)
def test_any_error_of_a_line_is_a_failure(error: object) -> None:
    line = json.dumps({"custom_id": "a", "response": None, "error": error}).encode()
    assert isinstance(read_lines(line).outcomes["a"], Failure)


def test_a_form_reads_back_with_the_standard_library() -> None:
    """The reference is email.parser, which knows nothing of our writer."""
    from email import message_from_bytes

    content = bytes(range(256)) + b"\r\n--boundary\r\n"
    kind, body = Upload(file_name("icl-1"), content, (("purpose", "batch"),)).encoded()
    parsed = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    purpose, file = list(parsed.walk())[1:]
    assert purpose.get_payload() == "batch"
    assert purpose.get_param("name", header="content-disposition") == "purpose"
    assert file.get_filename() == "icl-1.jsonl"
    assert file.get_payload(decode=True) == content
