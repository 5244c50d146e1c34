"""Every mistake a user can make on the command line ends with status 2, one message, and nothing lost."""

import json
import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli import cli
from harness.store_files import open_store, write_store
from harness.suite_files import load_suite, suite_digest
from tests.synthetic import SUITE


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small suite in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.yaml"
    path.write_text(SUITE)
    return path


def icl(*args: object) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in args], catch_exceptions=False)


def refused(result: Result, *words: str) -> None:
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    for word in words:
        assert word in result.output


def closed_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def test_an_unknown_key_is_named_with_its_line(suite: Path) -> None:
    suite.write_text(SUITE.replace("sequences", "sequnces"))
    refused(icl("run", suite), "small.yaml, line 8", "did you mean 'sequences'?")


def test_an_unknown_family_and_parameter_are_named(suite: Path) -> None:
    suite.write_text(SUITE.replace("periodic", "peridic"))
    refused(icl("run", suite), "tasks[0]", "no task family 'peridic'", "did you mean 'periodic'?")
    suite.write_text(SUITE.replace("period:", "perod:"))
    refused(icl("run", suite), "tasks[0]", "no parameter 'perod'", "did you mean 'period'?")


def test_too_few_context_lengths_are_refused_before_anything_is_asked(suite: Path) -> None:
    suite.write_text(SUITE.replace("[0, 4, 8, 16]", "[0, 4]"))
    refused(icl("run", suite), "tasks[0]", "a transition needs at least 3")
    suite.write_text(SUITE.replace("[0, 4, 8, 16]", "{from: 9, to: 4}"))
    refused(icl("run", suite), "tasks[0]", "a transition needs at least 3")


def test_a_run_that_was_refused_before_it_asked_is_named_so(suite: Path) -> None:
    text = SUITE.replace("controls:", 'render: {separator: ", "}\n    controls:')
    suite.write_text(text)
    refused(icl("run", suite, "-m", "local/icl-mixture", "-o", "run"), "token")
    refused(icl("analyze", "run"), "nothing was asked in this run yet")


def test_an_unknown_control_is_named(suite: Path) -> None:
    suite.write_text(SUITE.replace("[shuffle]", "[shufle]"))
    refused(icl("run", suite), "no control 'shufle'", "did you mean 'shuffle'?")


def test_a_truth_value_where_a_label_is_meant_is_explained(suite: Path) -> None:
    suite.write_text(SUITE.replace("symbols: binary", "symbols: no"))
    refused(icl("run", suite), "symbols=False", "quote")
    suite.write_text(SUITE.replace("controls:", "render: {symbols: [yes, no]}\n    controls:"))
    refused(icl("run", suite), "line 9", 'quote it, e.g. "no"')


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("flat", "write provider/name"),
        ("mokc/flat", "did you mean 'mock'?"),
        ("mock/flatt", "did you mean 'flat'?"),
        ("local/icl-mixtur", "icl-mixture"),
    ],
)
def test_an_unknown_model_is_named(suite: Path, model: str, words: str) -> None:
    refused(icl("run", suite, "-m", model), words)


def test_a_missing_key_variable_is_named(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ACME_BASE_URL", "ACME_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    refused(icl("run", suite, "-m", "openai/gpt-4o"), "OPENAI_API_KEY")
    refused(icl("run", suite, "-m", "openai-api/acme/m"), "ACME_BASE_URL")


def test_a_server_that_is_down_is_named(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_BASE_URL", f"http://127.0.0.1:{closed_port()}/v1")
    refused(icl("run", suite, "-m", "openai-api/acme/m"), "nothing answers at http://127.0.0.1")
    refused(icl("doctor", "openai-api/acme/m"), "nothing answers at http://127.0.0.1")


def test_a_checkpoint_without_safe_weights_is_refused(suite: Path, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    refused(icl("run", suite, "-m", f"local/{folder}"), "config.json")
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    refused(icl("run", suite, "-m", f"local/{folder}"), "safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    refused(icl("run", suite, "-m", f"local/{folder}"), "convert", "safetensors")


def test_a_context_longer_than_the_model_was_made_for_is_refused(suite: Path) -> None:
    suite.write_text(SUITE.replace("[0, 4, 8, 16]", "[0, 4, 288]"))
    refused(icl("run", suite, "-m", "local/icl-mixture"), "288")


def test_symbols_that_are_not_single_tokens_are_refused(suite: Path) -> None:
    suite.write_text(SUITE.replace("controls:", 'render: {separator: ", "}\n    controls:'))
    refused(icl("run", suite, "-m", "local/icl-mixture"), "token")


def test_the_run_directory_of_another_suite_is_refused(suite: Path) -> None:
    assert icl("run", suite, "-o", "run", "--limit", 2).exit_code == 0
    suite.write_text(SUITE.replace("seed: 3", "seed: 4"))
    refused(icl("run", suite, "-o", "run"), "holds a run of suite 'small'", "give another -o")


def test_a_second_process_on_the_same_run_is_refused(suite: Path, tmp_path: Path) -> None:
    spec = load_suite(suite)
    with write_store(tmp_path / "run", spec.name, suite_digest(spec)):
        refused(icl("run", suite, "-o", "run"), f"another process (id {os.getpid()})")


def test_a_directory_that_cannot_be_written_is_named(suite: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(icl("run", suite, "-o", tmp_path / "file" / "run"), "cannot be written")


def test_an_unknown_price_with_a_cap_is_refused_before_anything_is_sent(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_BASE_URL", f"http://127.0.0.1:{closed_port()}/v1")
    refused(
        icl("run", suite, "-m", "openai-api/acme/m", "--max-cost", 1),
        "price of openai-api/acme/m is not known",
    )
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    for command in ("analyze", "report", "replay"):
        refused(icl(command, tmp_path), "no run here")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", ["x,k,n"]),
        ("x,k,n\n0,3,2\n1,1,2\n2,1,2\n", ["3"]),
        ("x,k,n\n0,1,2\n1,1,2\n", ["at least 3"]),
        ("sequence,x,p\na,0,1.5\na,1,.5\na,2,.5\n", ["1.5"]),
        ("", ["x,k,n"]),
    ],
)
def test_a_file_that_holds_no_curve_is_explained(tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "curves.csv"
    file.write_text(text)
    refused(icl("transitions", file, "--json"), *words)
    refused(icl("transitions", tmp_path / "absent.csv"), "absent.csv")


def test_a_dry_run_writes_nothing(suite: Path, tmp_path: Path) -> None:
    result = icl("run", suite, "--dry-run")
    assert result.exit_code == 0
    assert "4 conditions" in result.output
    assert not (tmp_path / "runs").exists()


def test_the_seed_of_the_command_line_is_the_seed_of_the_run(suite: Path, tmp_path: Path) -> None:
    assert icl("run", suite, "-o", "a", "--seed", 11, "--limit", 2).exit_code == 0
    store = open_store(tmp_path / "a")
    assert "seed: 11" in (store.get_meta("suite_yaml") or "")
    store.close()
