"""Judgment: a question about a whole sequence, answered with one of a few worded options.

The task is that of Bigelow et al. (2024): was a sequence made by a random
process or by a non-random algorithm? The wording is ours, see
`data/wordings.yaml`.
"""

from collections.abc import Sequence as Seq

from harness.errors import RenderError
from harness.prompts.rendering import SLOT, check_names, split_separator
from harness.types import Form, Prompt, Sequence

_OPTIONS = "{options}"  # where a template names the options


def ask(
    sequence: Sequence,
    *,
    template: str,
    options: tuple[str, ...],
    order: Seq[int] | None = None,
    symbols: tuple[str, ...] | None = None,
    separator: str = "",
    form: Form = "completion",
) -> Prompt:
    """Write a question about the first n symbols of a sequence, for every n.

    `template` holds "{sequence}" once, with more text after it, and "{options}"
    at most once, where the options stand as "this or that". `order` says in
    which order they are offered there, as indices into `options`; the surfaces
    of the prompt keep the order of `options`, so that an answer means the same
    in every order. `symbols` and `separator` are as in `render`, except that no
    separator follows the last symbol.

    In form "completion" what is predicted is the text after the question: blanks
    at its end lead the option ("Answer: " with "random" predicts " random"). In
    form "chat" the option opens the answer, without a blank.

    The targets of the prompt are its options, not the symbols of the sequence.

    Raises RenderError for a template without its slots, options that are too
    few, equal, or the beginning of each other, an order that is no permutation,
    and form "prefill": an answer begun cannot hold the question.
    """
    names = sequence.alphabet if symbols is None else symbols
    check_names(names, sequence.alphabet, separator)
    _check_options(options)
    if form not in ("completion", "chat"):
        raise RenderError(f"form {form!r} cannot ask about a sequence; use completion or chat")
    header, footer = _parts(template, options, order)
    between, lead = split_separator(separator)
    question = footer.rstrip(" \t")
    blank = footer[len(question) :] if form == "completion" else ""
    return Prompt(
        header=(header + sequence.before).removesuffix(lead),
        surfaces=tuple(blank + option for option in options),
        between=between,
        symbols=tuple(sequence.symbols.tolist()),
        form=form,
        footer=question,
        written=tuple(lead + name for name in names),
    )


def _check_options(options: tuple[str, ...]) -> None:
    if len(options) < 2 or any(not option.strip() or option != option.strip() for option in options):
        raise RenderError(f"options {options!r} must be two or more, none empty or with blanks around it")
    for i, short in enumerate(options):
        for long in options[:i] + options[i + 1 :]:
            if long.casefold().startswith(short.casefold()):
                raise RenderError(
                    f"option {short!r} begins {long!r}: an answer could be either; word them apart"
                )


def _parts(template: str, options: tuple[str, ...], order: Seq[int] | None) -> tuple[str, str]:
    """Return what stands before and after the sequence, the options written out."""
    for slot, least in ((SLOT, 1), (_OPTIONS, 0)):
        if not least <= template.count(slot) <= 1:
            raise RenderError(
                f"question {template!r} holds {slot} {template.count(slot)} times; write it once"
            )
    if order is not None:
        if sorted(order) != list(range(len(options))):
            raise RenderError(f"order {tuple(order)!r} is no permutation of the {len(options)} options")
        if _OPTIONS not in template:
            raise RenderError(f"question {template!r} has no {_OPTIONS}, so that their order cannot be set")
    listed = " or ".join(options[i] for i in (range(len(options)) if order is None else order))
    header, _, footer = template.partition(SLOT)
    if not footer.strip():
        raise RenderError(
            f"question {template!r} has nothing after {SLOT}: the answer would read as the next symbol"
        )
    return header.replace(_OPTIONS, listed), footer.replace(_OPTIONS, listed)
