"""The audit of tokens sees what a tokenizer makes of symbols, and refuses what would be read from the wrong one."""

import asyncio
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from harness.adapters import openai_api
from harness.adapters._retry import RetryPolicy
from harness.commands.audit import print_audits
from harness.commands.doctor import print_examination
from harness.local_models.adapter import open_local
from harness.prompts.judgment import ask
from harness.prompts.symbols import SYMBOL_SETS
from harness.suite_files import parse_suite
from harness.token_audit import Audit, audit_prompt
from harness.types import Prompt, Tokenizing
from harness.types import Sequence as Symbols
from tests.adapters import stub_model
from tests.adapters.stub_server import Stub, answer
from tests.local_models.conftest import save_gpt2, save_llama
from tests.synthetic import SyntheticModel

COIN = (0, 1, 1, 0, 1, 0, 0, 1)


@dataclass(frozen=True)
class Merging:
    """A tokenizer that joins some strings, first come first served, and reads single characters else."""

    merges: tuple[str, ...] = ()
    unknown: str = ""  # characters outside its vocabulary

    async def tokens(self, text: str) -> list[str] | None:
        pieces = stub_model.split(text, self.merges)
        return ["<unk>" if piece in self.unknown else piece for piece in pieces] if self.unknown else pieces


class Silent:
    """A server without /tokenize."""

    async def tokens(self, text: str) -> list[str] | None:  # noqa: ARG002
        return None


def audited(model: Tokenizing, prompt: Prompt) -> Audit:
    found = asyncio.run(audit_prompt(model, prompt, len(prompt.symbols)))
    assert found is not None
    return found


def plain(surfaces: Sequence[str], between: str = "") -> Prompt:
    return Prompt("Flips:", tuple(surfaces), between, COIN)


def test_single_tokens_are_sound_and_every_form_is_shown() -> None:
    found = audited(Merging((" heads", "heads", " tails", "tails")), plain((" heads", " tails"), ","))
    assert found.wrong == found.cautions == found.merged == ()
    assert (found.context_length, found.context_tokens) == (8, len("Flips:") + 16)
    heads, tails = found.surfaces
    assert heads.predicted == (" heads",)
    assert heads.forms == {"heads": ("heads",), " heads": (" heads",), "HEADS": tuple("HEADS")}
    assert tails.forms["tails"] == ("tails",)


def test_digits_that_merge_are_refused_though_the_pair_is_not_in_the_prompt() -> None:
    prompt = replace(plain("01"), symbols=(1, 0, 0))  # never 0 and then 1
    found = audited(Merging(("01",)), prompt)
    assert found.merged == ("01",)
    assert "digits are merged with what stands beside them: '01' is one token" in found.wrong


def test_a_symbol_that_changes_the_tokens_before_it_is_refused() -> None:
    found = audited(Merging(("ab",)), replace(plain("ab"), symbols=(1, 0)))
    assert not found.surfaces[1].apart
    assert "'b' changes the tokens before it: it is never the next one of a context" in found.wrong


def test_a_symbol_of_several_tokens_is_refused_with_its_tokens() -> None:
    found = audited(Merging((" Heads", " T")), plain((" Heads", " Tails"), ","))
    assert found.surfaces[1].predicted == (" T", "a", "i", "l", "s")
    assert found.wrong == ("' Tails' is 5 tokens, ' T' 'a' 'i' and 2 more: one is read",)


def test_symbols_that_begin_with_one_token_collide() -> None:
    found = audited(Merging((" non",)), plain((" none", " nonsense", " two"), "\n"))
    assert "' none' and ' nonsense' begin with the same token, ' non'" in found.wrong
    assert not any("' two' begin" in reason for reason in found.wrong)


def test_a_separator_that_merges_with_its_symbol_is_refused() -> None:
    found = audited(Merging(("1,",)), plain("01", ","))
    assert found.merged == ("1,",)
    assert any("symbols are merged with what stands beside them: '1,'" in reason for reason in found.wrong)


def test_a_symbol_outside_the_vocabulary_is_named() -> None:
    found = audited(Merging(unknown="z"), plain("0z"))
    assert "'z' is not in the vocabulary: it is '<unk>'" in found.wrong


def test_symbols_that_differ_in_case_alone_are_a_caution() -> None:
    found = audited(Merging(), plain("aA"))
    assert found.wrong == ()
    assert found.cautions == ("'a' and 'A' differ in case or blanks alone",)


def test_a_chat_is_read_at_its_answer_so_that_a_merged_context_is_a_caution() -> None:
    found = audited(Merging(("01",)), replace(plain("01"), form="chat"))
    assert found.wrong == ()
    assert found.cautions == ("digits are merged with what stands beside them: '01' is one token",)
    assert found.context_tokens < len("Flips:") + found.context_length


def test_a_question_is_read_at_its_options() -> None:
    flips = Symbols(("0", "1"), np.array(COIN), np.full((9, 2), 0.5), {}, "", "")
    asked = ask(flips, template="{sequence}? {options}\nAnswer: ", options=("chance", "rule"))
    sound = audited(Merging((" chance", " rule", "01")), asked)
    assert (sound.wrong, len(sound.cautions)) == ((), 1)
    split = audited(Merging((" rule",)), asked)
    assert split.wrong == ("' chance' is 7 tokens, ' ' 'c' 'h' and 4 more: one is read",)


def test_a_server_that_cannot_tell_is_not_judged() -> None:
    assert asyncio.run(audit_prompt(Silent(), plain("01"), 8)) is None


class Partly(Merging):
    """A server that cannot tell what stands for a capital."""

    async def tokens(self, text: str) -> list[str] | None:
        return None if "Z" in text else await super().tokens(text)


def test_what_a_server_does_not_tell_of_one_form_or_symbol_leaves_the_rest() -> None:
    found = audited(Partly(), plain("yz"))
    assert (found.wrong, found.cautions) == ((), ())
    assert found.surfaces[1].forms == {"z": ("z",), " z": (" ", "z"), "Z": None}
    found = audited(Partly(), replace(plain("yZ"), symbols=(0, 0)))
    assert found.wrong == ()
    assert found.cautions == (
        "the tokens of 'Z' are not told",
        "the tokens do not spell the context: merges are not looked for",  # of every two symbols
    )


def test_where_a_header_is_outside_the_vocabulary_it_is_said_that_merges_are_not_seen() -> None:
    found = audited(Merging(unknown="F"), plain("01"))
    assert found.wrong == ()
    assert found.cautions == ("the tokens do not spell the context: merges are not looked for",)


@pytest.mark.parametrize("surfaces", [("a", "b"), (" a", " b"), ("ab", "c"), ("a", "b", "c")])
@pytest.mark.parametrize("between", ["", ",", "\n"])
def test_what_is_called_sound_has_every_symbol_as_one_token_in_every_sequence(
    surfaces: tuple[str, ...], between: str
) -> None:
    """Against all sequences of up to five symbols, read character by character, under all merges of two."""
    characters = sorted(set("".join(surfaces) + between))
    for pair in ["".join(p) for p in product(characters, repeat=2)]:
        model = Merging((pair, "ab") if "ab" in surfaces else (pair,))
        every = [w for n in range(1, 6) for w in product(range(len(surfaces)), repeat=n)]
        texts = [Prompt("", surfaces, between, word) for word in every]
        whole = all(_each_is_one_token(model, prompt) for prompt in texts)
        sound = not audited(model, Prompt("", surfaces, between, (0, 1))).wrong
        assert sound == whole, (pair, surfaces, between)


def _each_is_one_token(model: Merging, prompt: Prompt) -> bool:
    text = prompt.text(len(prompt.symbols))
    ends = np.cumsum([0, *(len(t) for t in stub_model.split(text, model.merges))]).tolist()
    spans = set(pairwise(ends))
    starts = prompt.starts(len(prompt.symbols))
    return all(
        (start, start + len(prompt.surfaces[s])) in spans
        for start, s in zip(starts, prompt.symbols, strict=False)
    )


def test_a_local_tokenizer_gives_the_characters_of_its_tokens(tmp_path: Path) -> None:
    model = open_local(str(save_gpt2(tmp_path)), device="cpu")
    for text in ("", "Heads, Tails", " Heads Tails,\n01", "é Heads€"):
        assert "".join(asyncio.run(model.tokens(text))) == text
        assert len(asyncio.run(model.tokens(text))) == model.count_tokens(text)  # it adds no BOS
    assert asyncio.run(model.tokens("He, Tails")) == ["He", ",", " Tails"]
    assert isinstance(model, Tokenizing)
    found = audited(model, Prompt("", ("0", "1"), "", COIN))
    assert any(reason.startswith("digits are merged") for reason in found.wrong)
    assert audited(model, Prompt("", (" Heads", " Tails"), ",", COIN)).wrong == ()


def test_a_character_outside_a_local_vocabulary_is_named_and_bos_left_out(tmp_path: Path) -> None:
    model = open_local(str(save_llama(tmp_path)), device="cpu")
    assert asyncio.run(model.tokens("0z1")) == ["0", "<unk>", "1"]
    found = audited(model, Prompt("", ("0", "z"), "", COIN))
    assert "'z' is not in the vocabulary: it is '<unk>'" in found.wrong


@pytest.mark.parametrize("dialect", ["llama.cpp", "vllm"])
def test_a_server_gives_the_characters_of_its_tokens(dialect: str) -> None:
    assert of_stub(
        Stub(tokenize=dialect, merges=("01",)),  # type: ignore[arg-type]
        "1010, 0",
    ) == ["1", "01", "0", ",", " ", "0"]


def test_a_server_whose_tokens_do_not_spell_the_text_gives_none() -> None:
    """llama.cpp writes a token outside the vocabulary as nothing, and a part of a character as bytes."""
    for pieces in (["", "0"], ["0"], [[226, 130], [172]]):
        tokens = [{"id": i, "piece": piece} for i, piece in enumerate(pieces)]
        stub = Stub(always=answer(200, json.dumps({"tokens": tokens})))
        assert of_stub(stub, " 0") is None


def test_the_space_that_sentencepiece_puts_before_a_text_is_no_part_of_it() -> None:
    strings = {"tokens": [5, 6, 7], "token_strs": ["▁Heads", ",", "▁Tails"]}
    assert of_stub(Stub(always=answer(200, json.dumps(strings))), "Heads, Tails") == ["Heads", ",", " Tails"]


def test_a_server_without_tokenize_gives_none() -> None:
    assert of_stub(Stub(), "10") is None


def of_stub(stub: Stub, text: str) -> list[str] | None:
    async def main() -> list[str] | None:
        async with stub:
            model = openai_api.open_model("stub/stub", environ={"STUB_BASE_URL": stub.url})
            try:
                assert isinstance(model, Tokenizing)
                return await model.tokens(text)
            finally:
                await model.close()

    return asyncio.run(main())


SUITE = """\
name: small
seed: 1
tasks:
  - family: periodic
    params: {period: 2, symbols: ["0", "1"]}
    context_lengths: [0, 1, 2, 4, 8]
    sequences: 2
    controls: [shuffle]
    render: {separator: SEPARATOR}
"""


def examined(stub: Stub, separator: str) -> str:
    out = io.StringIO()

    async def main() -> None:
        async with stub:
            environ = {"STUB_BASE_URL": stub.url}
            model = openai_api.open_model("stub/stub", environ=environ, policy=RetryPolicy(attempts=1))
            suite = parse_suite(SUITE.replace("SEPARATOR", repr(separator)), "small")
            await print_examination(model, suite, Console(file=out, width=220))

    asyncio.run(main())
    return out.getvalue()


def test_the_doctor_ends_with_the_tokens_of_every_symbol() -> None:
    output = examined(Stub(tokenize="llama.cpp"), "")
    assert "suite small: 2 of 2 conditions can be measured" in output
    _, _, end = output.partition("\ntokens of '")
    assert end.count("tokens of '") == 0  # the control is written in the same way
    assert "symbol  tokens where it is predicted" in end
    assert "the longest context: 8 symbols, 8 tokens" in end


def test_the_doctor_refuses_what_would_be_silently_wrong() -> None:
    output = examined(Stub(tokenize="llama.cpp", merges=("01",)), "")
    assert "suite small: 0 of 2 conditions can be measured" in output
    assert "refused: digits are merged with what stands beside them: '01' is one token" in output


def test_the_doctor_says_where_tokens_are_not_known_and_nothing_where_there_is_no_tokenizer() -> None:
    assert "not known: no tokenizer is at hand" in examined(Stub(), ",")
    assert not isinstance(SyntheticModel(), Tokenizing)


def test_a_table_has_a_row_for_each_symbol() -> None:
    out = io.StringIO()
    surfaces = SYMBOL_SETS["letters"]
    prompt = Prompt("", surfaces, "", tuple(range(16)))
    print_audits(Console(file=out, width=200), [(prompt, audited(Merging(), prompt))])
    lines = out.getvalue().splitlines()
    assert [line.split()[0] for line in lines[2:18]] == [repr(letter) for letter in surfaces]
