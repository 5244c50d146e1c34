"""What `icl doctor` shows of tokens: the forms of each symbol, what collides or merges, and what that rules out."""

from collections.abc import Iterable, Sequence

from rich.console import Console

from harness.commands.display import say, table_of
from harness.token_audit import Audited, SurfaceAudit

_SHOWN, _WIDE = 4, 80  # symbols of the prompt that head a table, and most characters
_HEADS = ("symbol", "tokens where it is predicted", "without blank", "with blank", "lower case", "upper case")


def print_audits(console: Console, audits: Iterable[Audited]) -> None:
    """Print a table of tokens for each way of writing, then what it rules out or makes doubtful."""
    for prompt, seen in audits:
        say(console, f"tokens of {prompt.text(_SHOWN)[-_WIDE:]!r} and so on", "bold")
        if seen is None:
            say(console, "  not known: no tokenizer is at hand and the server has no /tokenize that tells")
            continue
        console.print(table_of(_HEADS, [_row(surface) for surface in seen.surfaces]))
        say(console, f"  the longest context: {seen.context_length} symbols, {seen.context_tokens} tokens")
        for reason in seen.wrong:
            say(console, f"  refused: {reason}")
        for caution in seen.cautions:
            say(console, f"  caution: {caution}")


def _row(surface: SurfaceAudit) -> tuple[str, ...]:
    bare = surface.surface.strip() or surface.surface
    predicted = _tokens(surface.predicted) if surface.apart else "those before it change"
    alone = [_tokens(surface.forms[form]) for form in (bare, " " + bare)]
    cases = [
        "as it is" if form == bare else _tokens(surface.forms[form]) for form in (bare.lower(), bare.upper())
    ]
    return (repr(surface.surface), predicted, *alone, *cases)


def _tokens(tokens: Sequence[str] | None) -> str:
    return "not told" if tokens is None else " ".join(map(repr, tokens))
