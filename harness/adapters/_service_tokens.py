"""Probing for symbols that are not single tokens, by a service's own count."""

from harness.adapters._service_calls import ServiceCalls
from harness.types import Failure, Form

Written = tuple[str, str]  # a surface and what stands between symbols
_MOST_COUNTED = 64  # symbols counted one by one


async def probe_symbols(
    calls: ServiceCalls, surfaces: tuple[str, ...], between: str, form: Form | None
) -> tuple[dict[Written, str], str]:
    """Return the symbols that are not one token, by the service's own count against the letter a.

    All at once on lines of their own first; one by one only where the sum is off.
    """

    def line(surface: str) -> str:
        if form != "prefill":
            return surface.strip()  # an answer starts afresh
        blank = surface[: len(surface) - len(surface.lstrip())]
        return f"a{between}{surface}" if blank else surface

    def plain(surface: str) -> str:
        return line(surface[: len(surface) - len(surface.lstrip())] + "a")

    lines, plains = [line(s) for s in surfaces], [plain(s) for s in surfaces]
    extra = await _more(calls, "\n".join(lines), "\n".join(plains))
    if extra is None:
        return {}, "whether each symbol is one token is not known: the service does not count"
    if not extra:
        return {}, "every symbol is one token, by the service's count"
    split = {}
    for i, surface in enumerate(surfaces[:_MOST_COUNTED]):
        more = await _more(calls, lines[i], plains[i])
        if more and more > 0:
            split[surface, between] = f"{1 + more} tokens, by the service's count"
    if not split:
        return {}, "every symbol is one token, by the service's count of each"
    return split, "not one token, by the service's count: " + ", ".join(repr(s) for s, _ in split)


async def _more(calls: ServiceCalls, text: str, plain: str) -> int | None:
    """Return how many tokens more a text has than another, None where the service does not count."""
    counts = []
    for counted in (text, plain):
        answered = await calls.post(*calls.wire.count_call(calls.model, counted))
        outcome = answered.outcome
        counts.append(None if isinstance(outcome, Failure) else calls.wire.counted(outcome.body))
    first, second = counts
    return None if first is None or second is None else first - second
