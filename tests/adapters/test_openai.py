"""Providers `openai` and `openai-api`: addresses and keys from the environment, the same model behind both."""

import asyncio
import subprocess
import sys

import pytest

from harness.adapters import openai, openai_api
from harness.adapters._openai_endpoint import OpenAIEndpoint
from harness.adapters._retry import RetryPolicy
from harness.errors import MissingKey, SpecError
from harness.types import Failure, Model, Prompt, Reply, Request, Response
from tests.adapters.stub_server import Stub, answer, never, reset

REQUEST = Request("next_token", Prompt("", ("0", "1"), "", (0, 1, 0)), (2,), top_logprobs=5)


async def no_sleep(_: float) -> None:
    """Wait for nothing."""


QUICK = RetryPolicy(attempts=3, sleep=no_sleep)


def openai_model(stub: Stub, policy: RetryPolicy = QUICK) -> Model:
    return openai.open_model(
        "gpt-x", environ={"OPENAI_BASE_URL": stub.url, "OPENAI_API_KEY": "k"}, policy=policy
    )


def test_the_address_and_the_key_are_those_of_the_service() -> None:
    environ = {"MY_VLLM_BASE_URL": "https://models.example.org/v1/", "MY_VLLM_API_KEY": "k"}
    model = openai_api.open_model("my-vllm/org/name", environ=environ)
    assert model.name == "openai-api/my-vllm/org/name"
    assert model.fingerprint == "https://models.example.org/v1"


def test_a_missing_address_is_named_with_an_example() -> None:
    with pytest.raises(MissingKey, match=r"MY_VLLM_BASE_URL is not set.*export MY_VLLM_BASE_URL=http://127"):
        openai_api.open_model("my-vllm/m", environ={})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/v1", "http://localhost:8080/v1", "http://[::1]:8080/v1"]
)
def test_a_loopback_server_needs_no_key(url: str) -> None:
    openai_api.open_model("s/m", environ={"S_BASE_URL": url})


def test_a_remote_server_needs_a_key() -> None:
    with pytest.raises(MissingKey, match=r"S_API_KEY is not set .*only loopback addresses need no key"):
        openai_api.open_model("s/m", environ={"S_BASE_URL": "http://10.0.0.7:8080/v1"})


@pytest.mark.parametrize("name", ["", "service", "service/", "/model"])
def test_a_name_without_its_parts_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(SpecError, match=r"openai-api/SERVICE/NAME, e\.g\."):
        openai_api.open_model(name, environ={})


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://127.0.0.1", "http://", "localhost:8080/v1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(SpecError, match="no http or https address"):
        openai_api.open_model("s/m", environ={"S_BASE_URL": url, "S_API_KEY": "k"})


def test_openai_needs_its_key() -> None:
    with pytest.raises(MissingKey, match="OPENAI_API_KEY"):
        openai.open_model("gpt-4o", environ={})


def test_openai_is_asked_at_its_own_address_by_default() -> None:
    assert (
        openai.open_model("gpt-4o", environ={"OPENAI_API_KEY": "k"}).fingerprint
        == "https://api.openai.com/v1"
    )


def test_opening_a_model_loads_neither_package() -> None:
    """`icl --help` and a replay must not pay for them; `read` needs neither."""
    code = (
        "import sys; from harness.adapters import openai, openai_api, mock; "
        "openai.open_model('m', environ={'OPENAI_API_KEY': 'k'}); mock.open_model('flat'); "
        "openai_api.open_model('s/m', environ={'S_BASE_URL': 'http://localhost/v1'}); "
        "print([m for m in ('openai', 'aiohttp', 'torch', 'pandas') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_the_openai_package_and_ours_send_the_same_and_read_the_same() -> None:
    async def main() -> list[Reply | Failure]:
        async with Stub(random=False) as stub:
            ours = openai_api.open_model("stub/gpt-x", environ={"STUB_BASE_URL": stub.url}, policy=QUICK)
            theirs = openai_model(stub)
            got = [(await model.send([REQUEST]))[0] for model in (ours, theirs)]
            await ours.close()
            await theirs.close()
            assert stub.log[0][2] == stub.log[1][2]
            return got

    first, second = asyncio.run(main())
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    ours, theirs = openai_api.read(REQUEST, first.raw), openai.read(REQUEST, second.raw)
    assert isinstance(ours, Response)
    assert isinstance(theirs, Response)
    assert ours.logprob is not None
    assert theirs.logprob is not None
    assert ours.logprob.tolist() == theirs.logprob.tolist()
    assert (second.prompt_tokens, second.completion_tokens, second.served_model) == (2, 1, "stub-1")


def test_a_model_of_openai_is_probed_without_fields_it_would_refuse() -> None:
    stub = Stub(refuse=("top_k", "min_p", "repeat_penalty"), completions=False, max_top=20)

    async def main() -> None:
        async with stub:
            model = openai_model(stub)
            found = await model.probe(["0", "1"], "")
            await model.close()
            assert (found.prefixes, found.top_logprobs, found.seed) == (False, 6, True)

    asyncio.run(main())
    chats = [body for path, _, body in stub.log if path.endswith("/chat/completions")]
    assert {body.get("max_tokens") for body in chats} == {None}
    assert {body["max_completion_tokens"] for body in chats} == {1, 4, 16}
    assert not any("top_k" in body for body in chats)


def test_the_retries_of_the_openai_package_are_off_and_ours_count() -> None:
    stub = Stub(faults=[answer(429, "", {"Retry-After": "0"}), reset])

    async def main() -> Reply | Failure:
        async with stub:
            model = openai_model(stub)
            (got,) = await model.send([REQUEST])
            await model.close()
            return got

    got = asyncio.run(main())
    assert isinstance(got, Reply)
    assert (got.attempts, len(stub.log)) == (3, 3)


def test_the_openai_package_gives_up_in_time() -> None:
    async def main() -> Reply | Failure:
        async with Stub(always=never) as stub:
            endpoint = OpenAIEndpoint(stub.url, "k", timeout_s=0.2)
            got = await endpoint.post("/completions", {})
            await endpoint.close()
            assert isinstance(got, Failure)
            return got

    got = asyncio.run(main())
    assert isinstance(got, Failure)
    assert got.kind == "timeout"


@pytest.mark.parametrize("provider", ["openai", "openai-api"])
def test_a_model_serves_one_loop_after_another(provider: str) -> None:
    async def main() -> None:
        async with Stub() as stub:
            if provider == "openai":
                model = openai.open_model("m", environ={"OPENAI_BASE_URL": stub.url, "OPENAI_API_KEY": "k"})
            else:
                model = openai_api.open_model("s/m", environ={"S_BASE_URL": stub.url})

            async def ask_and_close() -> Reply | Failure:
                (got,) = await model.send([REQUEST])
                await model.close()
                return got

            assert isinstance((await model.send([REQUEST]))[0], Reply)
            # Another loop in another thread, as in a notebook, with the first one still running.
            assert isinstance(await asyncio.to_thread(lambda: asyncio.run(ask_and_close())), Reply)
            assert isinstance(await ask_and_close(), Reply)

    asyncio.run(main())


def test_draws_of_a_resumed_run_find_the_dialect_without_a_probe() -> None:
    """A run that continues takes its capabilities from the store and never probes."""
    stub = Stub(refuse=("top_k",))
    draws = [Request("samples", REQUEST.prompt, (2,), n=4, seed=s) for s in range(3)]

    async def main() -> list[Reply | Failure]:
        async with stub:
            model = openai_api.open_model("stub/m", environ={"STUB_BASE_URL": stub.url}, policy=QUICK)
            got = [(await model.send([draw]))[0] for draw in draws]
            await model.close()
            return got

    assert all(isinstance(reply, Reply) for reply in asyncio.run(main()))
    assert len(stub.log) == 3 + 2  # two refused variants before the first answer, none after it
    assert len({body["seed"] for _, _, body in stub.log}) == 3


def test_a_request_that_stays_refused_is_a_failure_with_the_servers_words() -> None:
    async def main() -> Reply | Failure:
        async with Stub(n=2) as stub:
            model = openai_api.open_model("stub/m", environ={"STUB_BASE_URL": stub.url}, policy=QUICK)
            (got,) = await model.send([Request("samples", REQUEST.prompt, (2,), n=9, seed=1)])
            await model.close()
            return got

    got = asyncio.run(main())
    assert got == Failure("request", "HTTP 400: n must be at most 2", 1)
