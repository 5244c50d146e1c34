"""Stored replies of local models: what was packed is read, what does not belong is a failure."""

import subprocess
import sys

import numpy as np
import pytest

from harness.adapters.local import read
from harness.local_models.replies import pack_counts, pack_logprobs
from harness.types import Failure, Prompt, Request, Response

PROMPT = Prompt("", ("0", "1"), "", (0, 1, 1, 0))
REQUEST = Request("prefixes", PROMPT, (0, 2, 3))


def test_log_probabilities_come_back_to_float32() -> None:
    logp = np.log(np.array([[0.5, 0.25], [0.9, 1e-30], [0.1, 0.2]]))
    found = read(REQUEST, pack_logprobs(REQUEST.context_lengths, logp))
    assert isinstance(found, Response)
    assert found.context_lengths.tolist() == [0, 2, 3]
    assert found.logprob is not None
    np.testing.assert_allclose(
        found.logprob, logp, rtol=1e-6
    )  # half a unit in the last place of float32: 6e-8
    assert found.covered is not None
    assert found.covered.tolist() == [1.0, 1.0, 1.0]


def test_a_level_without_a_number_keeps_its_reason() -> None:
    logp = np.array([[np.nan, np.nan], [-1.0, -2.0], [-1.0, -2.0]])
    found = read(REQUEST, pack_logprobs(REQUEST.context_lengths, logp, [(0, "no token")]))
    assert isinstance(found, Response)
    assert found.failures == ((0, Failure("tokenization", "no token")),)
    assert found.covered is not None
    assert np.isnan(found.covered[0])


def test_counts_come_back_exactly() -> None:
    request = Request("samples", PROMPT, (2,), n=10, seed=0)
    found = read(request, pack_counts((2,), np.array([[3, 6, 1]])))
    assert isinstance(found, Response)
    assert found.counts is not None
    assert found.counts.tolist() == [[3, 6, 1]]


GOOD = pack_logprobs((0, 2, 3), np.zeros((3, 2)))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        GOOD[:-4],
        pack_logprobs((0, 2, 4), np.zeros((3, 2))),
        pack_logprobs((0, 2, 3), np.zeros((3, 5))),
    ],
    ids=["empty", "not ours", "cut short", "other levels", "other symbols"],
)
def test_bytes_that_do_not_answer_the_request_are_malformed(raw: bytes) -> None:
    found = read(REQUEST, raw)
    assert isinstance(found, Failure)
    assert found.kind == "malformed"


def test_reading_loads_neither_torch_nor_transformers() -> None:
    code = (
        "import sys; from harness.adapters.local import read; from harness.types import Prompt, Request;"
        "read(Request('prefixes', Prompt('', ('0',), '', (0,)), (0,)), b'');"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_missing_torch_is_said_with_the_command_that_installs_it() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from harness.adapters.local import open_model\n"
        "from harness.errors import MissingExtra\n"
        "try: open_model('icl-mixture')\n"
        "except MissingExtra as e: assert \"pip install 'icl-harness[local]'\" in str(e), e\n"
        "else: raise SystemExit('opened without torch')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
