"""Numbers as a reader meets them: as many digits as their interval supports.

Plain text; the HTML and LaTeX writers escape it.
"""

import math


def decimals(half_width: float) -> int:
    """Return the decimal places that show two significant digits of an interval's half-width, 0 to 3."""
    if not math.isfinite(half_width) or half_width <= 0:
        return 1
    return min(3, max(0, 1 - math.floor(math.log10(half_width))))


def number(value: float | None, places: int = 1) -> str:
    """Write a number to a given number of places; absent or undefined is "n/a"."""
    if value is None or math.isnan(value):
        return "n/a"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    text = f"{value:.{places}f}"
    return text.removeprefix("-") if float(text) == 0 else text  # no "-0.0"


def with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Write "10.3 [9.1, 11.2]"; the bracket is left out where there is no interval."""
    if value is None or math.isnan(value):
        return "n/a"
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return number(value)
    places = decimals((high - low) / 2)
    return f"{number(value, places)} [{number(low, places)}, {number(high, places)}]"


def level(value: float) -> str:
    """Write a context length: whole numbers without a point."""
    return f"{value:.0f}" if float(value).is_integer() else f"{value:g}"


def probability(p: float) -> str:
    """Write a posterior probability to two places, without pretending to certainty."""
    if math.isnan(p):
        return "n/a"
    if p >= 0.995:
        return "> 0.99"
    return "< 0.01" if p < 0.005 else f"{p:.2f}"


def percent(part: float, whole: float) -> str:
    """Write a share as per cent; small ones keep a significant digit."""
    share = 100 * part / whole if whole else 0.0
    if share and share < 0.1:
        return "< 0.1 %"
    return f"{share:.0f} %" if share >= 10 or share == 0 else f"{share:.1f} %"


def count(n: float | None) -> str:
    """Write a count with thousands separated; an unknown one in words."""
    return "unknown" if n is None else f"{n:,.0f}"


def money(usd: float | None) -> str:
    """Write an amount in US dollars; small amounts keep two significant digits."""
    if usd is None:
        return "price unknown"
    if usd == 0:
        return "$0"
    if usd < 0.0001:
        return "< $0.0001"
    places = 2 if usd >= 0.1 else 1 - math.floor(math.log10(usd))
    return f"${usd:,.{places}f}"


def plural(n: int, noun: str, nouns: str = "") -> str:
    """Write "1 curve", "2 curves"; irregular plurals are given."""
    return f"{n:,} {noun if n == 1 else nouns or noun + 's'}"


def listing(parts: list[str]) -> str:
    """Join as in a sentence: "a", "a and b", "a, b and c"."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1] if parts else ""
