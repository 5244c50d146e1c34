"""A question about a sequence at a server: a request for each context length, read at its options."""

import asyncio

import numpy as np
import pytest

from harness.adapters import openai_api
from harness.errors import RenderError
from harness.prompts.judgment import ask
from harness.types import Form, Reply, Request, Response, Sequence
from tests.adapters.stub_server import Stub

FLIPS = Sequence(("0", "1"), np.array([0, 1, 1, 0]), np.full((5, 2), 0.5), {}, "", "")


@pytest.mark.parametrize(
    ("form", "path"), [("completion", "/v1/completions"), ("chat", "/v1/chat/completions")]
)
def test_it_is_sent_as_written_and_read_at_the_options(form: Form, path: str) -> None:
    prompt = ask(
        FLIPS, template="{sequence}? {options}:", options=("a", "b"), order=(1, 0), separator=",", form=form
    )
    stub = Stub()
    request = Request("next_token", prompt, (3,), top_logprobs=5)

    async def main() -> Response:
        async with stub:
            model = openai_api.open_model("stub/stub", environ={"STUB_BASE_URL": stub.url})
            try:
                model.check(request)
                (reply,) = await model.send([request])
            finally:
                await model.close()
        assert isinstance(reply, Reply)
        response = openai_api.read(request, reply.raw)
        assert isinstance(response, Response)
        return response

    response = asyncio.run(main())
    ((asked, _, body),) = stub.log
    text = "0,1,1? b or a:"
    assert asked == path
    assert (body["prompt"] if form == "completion" else body["messages"][0]["content"]) == text
    law = stub.law(text)
    assert response.logprob is not None
    np.testing.assert_allclose(response.logprob[0], [law["a"], law["b"]])


def test_no_reply_scores_several_contexts_of_a_question() -> None:
    prompt = ask(FLIPS, template="{sequence}?", options=("a", "b"))
    model = openai_api.open_model("stub/stub", environ={"STUB_BASE_URL": "http://127.0.0.1:9/v1"})
    with pytest.raises(RenderError, match="a question is not echoed"):
        model.check(Request("prefixes", prompt, (0, 1, 2), top_logprobs=5))
