"""Rendering: a sequence of symbols written out as the text of a prompt."""

from typing import get_args

from harness.errors import RenderError
from harness.types import Form, Prompt, Sequence

SLOT = "{sequence}"  # where a template has the symbols


def render(
    sequence: Sequence,
    *,
    symbols: tuple[str, ...] | None = None,
    separator: str = "",
    form: Form = "completion",
    template: str | None = None,
    instruction: str = "",
) -> Prompt:
    """Write a sequence as a prompt.

    `symbols` replaces the names of the alphabet one for one. `separator` stands
    after every symbol of the context. `template` holds "{sequence}" once, at its
    end, since the next symbol is predicted there; what stands before it is the
    header. Other braces are text.

    Blanks and tabs at the end of the separator are what tokenizers merge with
    the word that follows: they lead the surface of a symbol, the first one too,
    and are taken off the end of the header where it has them as well ("Flips:
    {sequence}" with ", " reads "Flips: H, T,"). The rest of the separator, line
    breaks included, belongs to the context.

    What stands `before` the symbols of the sequence ends the header, in every form.

    Form "prefill" writes the sequence as the beginning of the model's own answer
    to `instruction`, so that a chat model goes on with it as with a text.

    A template of this project's own wording is had by name from
    `harness.wordings`; a question about a whole sequence is `judgment`.

    Raises RenderError for a template without its slot at the end, an
    instruction missing or out of place, and for symbols that are too few,
    equal, empty, or ambiguous once written.
    """
    names = sequence.alphabet if symbols is None else symbols
    check_names(names, sequence.alphabet, separator)
    if form not in get_args(Form):
        raise RenderError(f"form {form!r} is not known; it is one of {', '.join(get_args(Form))}")
    if bool(instruction) != (form == "prefill"):
        raise RenderError(
            f"form {form!r} with instruction {instruction!r}: form prefill needs an instruction, the user message "
            "that the sequence answers, and no other form takes one"
        )
    between, lead = split_separator(separator)
    return Prompt(
        header=(_header(template) + sequence.before).removesuffix(lead),
        surfaces=tuple(lead + name for name in names),
        between=between,
        symbols=tuple(sequence.symbols.tolist()),
        form=form,
        instruction=instruction,
    )


def check_names(names: tuple[str, ...], alphabet: tuple[str, ...], separator: str) -> None:
    """Raise RenderError for symbols that are too few, equal, empty, or ambiguous once written."""
    if len(names) != len(alphabet):
        raise RenderError(
            f"render symbols {names!r} must be as many as the {len(alphabet)} of the alphabet {alphabet!r}"
        )
    if "" in names or len(set(names)) < len(names):
        raise RenderError(f"render symbols {names!r} must be distinct and none empty")
    for short in names:
        for long in names:
            if short != long and (long + separator).startswith(short + separator):
                raise RenderError(
                    f"render symbol {short!r} starts {long!r} and separator {separator!r} does not tell "
                    "them apart; choose a separator that occurs in no symbol, or other symbols"
                )


def split_separator(separator: str) -> tuple[str, str]:
    """Return what ends a symbol and the blanks that lead the next."""
    before = separator.rstrip(" \t")
    return before, separator[len(before) :]


def _header(template: str | None) -> str:
    if template is None:
        return ""
    header, slot, rest = template.partition(SLOT)
    if not slot:
        raise RenderError(f"template {template!r} does not hold {SLOT}; end it with that")
    if rest:
        raise RenderError(
            f"template {template!r} has {rest!r} after {SLOT}, where the next symbol is predicted; "
            f"end it with {SLOT}"
        )
    return header
