"""Every request of a batch ends as a reply or a typed failure."""

import pytest

from harness.adapters._compatible import CompatibleModel
from harness.types import BatchState, Failure, Reply
from tests.adapters.batch_stub import BatchStub
from tests.adapters.batching import alone, asked, carry_out
from tests.adapters.stub_server import cut_short


def test_a_batch_that_goes_on_says_how_far_it_is() -> None:
    async def use(model: CompatibleModel) -> object:
        name = await model.submit(asked(), "icl-1")
        assert isinstance(name, str)
        return await model.collect(name, [key for key, _ in asked()])

    assert alone(BatchStub(polls=3), use) == BatchState("in_progress", 0, 4)


@pytest.mark.parametrize("dialect", ["openai", "mistral", "together"])
@pytest.mark.parametrize(("end", "kind"), [("expired", "timeout"), ("cancelled", "server")])
@pytest.mark.parametrize("explained", [True, False])
def test_what_was_not_carried_out_is_transient_and_what_was_is_kept(
    dialect: str, end: str, kind: str, explained: bool
) -> None:
    stub = BatchStub(dialect=dialect, ends=end, unmade=2, explained=explained)  # type: ignore[arg-type]
    got = carry_out(stub)
    keys = [key for key, _ in asked()]
    assert [isinstance(got[key], Reply) for key in keys] == [True, True, False, False]
    for key in keys[2:]:
        outcome = got[key]
        assert isinstance(outcome, Failure)
        assert (outcome.kind, outcome.transient, outcome.doubtful) == (kind, True, 0)


@pytest.mark.parametrize("dialect", ["openai", "mistral", "together"])
def test_a_request_in_neither_file_is_a_failure_that_may_have_been_billed(dialect: str) -> None:
    stub = BatchStub(dialect=dialect, lost=1)  # type: ignore[arg-type]
    got = carry_out(stub)
    (failure,) = [outcome for outcome in got.values() if isinstance(outcome, Failure)]
    assert (failure.kind, failure.final, failure.doubtful) == ("truncated", True, 1)


def test_repeated_lines_and_lines_of_strangers_change_nothing() -> None:
    plain, odd = carry_out(BatchStub()), carry_out(BatchStub(repeated=True, strangers=True))
    assert odd == plain


@pytest.mark.parametrize("dialect", ["openai", "mistral", "together"])
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("cuts", [1, 2])
def test_a_download_cut_short_is_fetched_again(cuts: int, inside: bool, dialect: str) -> None:
    stub = BatchStub(dialect=dialect, cut_downloads=cuts, cut_inside=inside)  # type: ignore[arg-type]
    assert all(isinstance(outcome, Reply) for outcome in carry_out(stub).values())
    assert sum(stub.carried.values()) == 4


def test_a_file_that_stays_damaged_costs_only_its_damaged_lines() -> None:
    got = carry_out(BatchStub(cut_downloads=99))
    lost = [outcome for outcome in got.values() if isinstance(outcome, Failure)]
    assert 0 < len(lost) < 4
    assert {failure.kind for failure in lost} == {"truncated"}


@pytest.mark.parametrize(
    ("line", "kind", "doubtful"),
    [
        ({"response": {"status_code": 429, "body": {"error": {"message": "slow down"}}}}, "rate_limit", 0),
        ({"response": {"status_code": 500, "body": None}}, "server", 0),
        (
            {"response": {"status_code": 400, "body": {"error": {"message": "maximum context"}}}},
            "overflow",
            0,
        ),
        ({"response": {"status_code": 400, "body": {"error": {"message": "content_filter"}}}}, "filtered", 0),
        ({"response": None, "error": {"code": "request_timeout", "message": "slow"}}, "timeout", 1),
        ({"response": None, "error": {"code": "503", "message": "busy"}}, "server", 0),
        ({"response": None, "error": "something"}, "server", 0),
        ({"response": None, "error": None}, "malformed", 1),
        (
            {"response": {"status_code": 200, "body": {"error": {"message": "no", "code": 429}}}},
            "rate_limit",
            0,
        ),
    ],
)
def test_every_bad_line_is_a_typed_failure(line: dict[str, object], kind: str, doubtful: int) -> None:
    got = carry_out(BatchStub(rewrite=lambda result: {**result, **line}))
    for outcome in got.values():
        assert isinstance(outcome, Failure)
        assert (outcome.kind, outcome.doubtful) == (kind, doubtful)


@pytest.mark.parametrize(
    ("complaint", "kind"),
    [
        (("token_limit_exceeded", "Enqueued token limit reached for m"), "rate_limit"),
        (("billing_hard_limit_reached", "Billing hard limit has been reached"), "auth"),
        (("invalid_json_line", "line 3 is no JSON"), "server"),
    ],
)
def test_a_batch_refused_as_a_whole_leaves_its_requests_to_be_asked_again(
    complaint: tuple[str, str], kind: str
) -> None:
    got = carry_out(BatchStub(ends="failed", complaint=complaint))
    for outcome in got.values():
        assert isinstance(outcome, Failure)
        assert (outcome.kind, outcome.final, outcome.doubtful) == (kind, False, 0)
        assert complaint[1] in outcome.detail


def test_a_lost_download_leaves_the_batch_to_be_collected_later() -> None:
    stub = BatchStub(polls=0, faults={"download": [cut_short, cut_short]})

    async def use(model: CompatibleModel) -> object:
        name = await model.submit(asked(), "icl-1")
        assert isinstance(name, str)
        keys = [key for key, _ in asked()]
        return await model.collect(name, keys), await model.collect(name, keys)

    got = alone(stub, use)
    assert isinstance(got, tuple)
    first, second = got
    assert isinstance(first, Failure)
    assert first.transient
    assert isinstance(second, dict)
    assert sum(stub.carried.values()) == 4
