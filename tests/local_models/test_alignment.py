"""Symbols among tokens: what is accepted is exact, what is refused says why."""

from pathlib import Path

import pytest

from harness.errors import ContextTooLong, RenderError, SpecError, TokenizationError
from harness.local_models.adapter import LocalModel, open_local
from harness.local_models.alignment import Aligner
from harness.types import Form, Prompt, Request


@pytest.fixture(scope="module")
def llama(llama_dir: Path) -> LocalModel:
    return open_local(str(llama_dir), device="cpu")


@pytest.fixture(scope="module")
def gpt2(gpt2_dir: Path) -> LocalModel:
    return open_local(str(gpt2_dir), device="cpu")


def request(
    surfaces: tuple[str, ...],
    between: str,
    symbols: tuple[int, ...],
    header: str = "",
    form: Form = "completion",
) -> Request:
    return Request("prefixes", Prompt(header, surfaces, between, symbols, form), tuple(range(len(symbols))))


def test_every_position_is_the_last_token_of_its_context(gpt2: LocalModel) -> None:
    q = request((" Heads", " Tails"), ",", (0, 1, 1, 0, 0), header="red, blue:")
    aligned = Aligner(gpt2.loaded.tokenizer, 96).align(q)
    (row,) = aligned.rows
    for n, position in zip(row.context_lengths, row.positions, strict=True):
        assert list(row.tokens[: position + 1]) == gpt2.loaded.tokenizer(q.prompt.text(n))["input_ids"]
    words = gpt2.loaded.tokenizer.convert_ids_to_tokens(list(aligned.symbol_ids))
    assert words == ["ĠHeads", "ĠTails"]


def test_bos_is_there_iff_the_tokenizer_adds_it(llama: LocalModel, gpt2: LocalModel) -> None:
    (with_bos,) = Aligner(llama.loaded.tokenizer, 64).align(request(("0", "1"), "", (0, 1))).rows
    (without,) = Aligner(gpt2.loaded.tokenizer, 96).align(request((" Heads", " Tails"), "", (0, 1))).rows
    assert with_bos.tokens == (0, 2)
    assert with_bos.positions == (0, 1)
    assert without.positions == (-1, 0)


def test_a_tokenizer_that_ends_texts_is_cut_before_its_end(llama_dir: Path) -> None:
    from tokenizers import processors

    tokenizer = open_local(str(llama_dir), device="cpu").loaded.tokenizer
    plain = Aligner(tokenizer, 64).align(request(("0", "1"), ",", (0, 1, 1)))
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A <unk>", special_tokens=[("<s>", 0), ("<unk>", 1)]
    )
    assert Aligner(tokenizer, 64).align(request(("0", "1"), ",", (0, 1, 1))) == plain


def test_merged_digits_are_refused_with_the_tokens_and_the_remedy(gpt2: LocalModel) -> None:
    with pytest.raises(TokenizationError, match=r"symbol '[01]' after .*does not add one token.*separator"):
        gpt2.check(request(("0", "1"), "", (0, 1, 0, 1)))


def test_the_same_digits_apart_are_accepted(gpt2: LocalModel) -> None:
    gpt2.check(request(("0", "1"), "\n", (0, 1, 0, 1)))


def test_a_merge_of_symbols_that_never_meet_in_the_prompt_is_refused(gpt2: LocalModel) -> None:
    # "d" never follows "e" here, but p("d") after "e" would be read from the wrong token.
    assert len(gpt2.loaded.tokenizer("ed")["input_ids"]) < len("ed")
    with pytest.raises(
        TokenizationError, match="symbol 'd' after 'e' does not add one token: 'e' becomes 'ed'"
    ):
        gpt2.check(request(("r", "e", "d"), "", (2, 2, 0, 0, 2)))


def test_a_symbol_of_two_tokens_is_refused(llama: LocalModel) -> None:
    with pytest.raises(TokenizationError, match="'ab' after '' does not add one token"):
        llama.check(request(("ab", "1"), "", (0, 1)))


def test_symbols_outside_the_vocabulary_are_named(llama: LocalModel) -> None:
    with pytest.raises(TokenizationError, match=r"\['z'\] are not in the vocabulary"):
        llama.check(request(("0", "z"), "", (0, 1)))


def test_a_context_that_does_not_fit_names_the_longest_that_does(llama: LocalModel) -> None:
    with pytest.raises(
        ContextTooLong, match=r"70 symbols is 141 tokens.*made for 64.*fits here is 31 symbols"
    ):
        llama.check(request(("0", "1"), ",", (0, 1) * 35 + (0,)))


@pytest.mark.parametrize(("symbols", "fits"), [(64, True), (65, False)])
def test_the_last_token_of_the_window_is_used_and_no_more(
    llama: LocalModel, symbols: int, fits: bool
) -> None:
    q = request(("0", "1"), "", (0,) * symbols)  # the longest context is BOS and all symbols but the last
    if fits:
        llama.check(q)
    else:
        with pytest.raises(ContextTooLong):
            llama.check(q)


def test_chat_needs_a_template(llama: LocalModel) -> None:
    with pytest.raises(RenderError, match="no chat template"):
        llama.check(request(("0", "1"), "", (0, 1), form="chat"))


@pytest.mark.parametrize("lengths", [(), (-1, 2), (1, 5)])
def test_context_lengths_outside_the_prompt_are_refused(llama: LocalModel, lengths: tuple[int, ...]) -> None:
    with pytest.raises(SpecError, match=r"not in 0\.\.4"):
        llama.check(Request("prefixes", Prompt("", ("0", "1"), "", (0, 1, 1, 0)), lengths))
