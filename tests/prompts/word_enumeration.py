"""Words and streams of words listed one by one, with their probabilities as fractions: the reference of the tests."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import product

Word = tuple[int, ...]
Listing = Callable[[int], list[Word]]  # from a size to all words of it


def block_words(ratios: Sequence[int]) -> Listing:
    return lambda size: [tuple(i for i, ratio in enumerate(ratios) for _ in range(ratio * size))]


def double_words(m: int, *, marked: bool, mirrored: bool) -> Listing:
    """w w or w w reversed over m letters; a mark is letter m."""
    mark = (m,) if marked else ()
    return lambda size: [
        w + mark + (tuple(reversed(w)) if mirrored else w) for w in product(range(m), repeat=size)
    ]


def balanced_words(k: int, depth: int | None = None) -> Listing:
    """Every word of 2N brackets is tried: a matched pair is taken out until none is left."""

    def balanced(word: Word) -> bool:
        rest = list(word)
        while rest:
            at = next((i for i in range(len(rest) - 1) if rest[i] < k and rest[i + 1] == rest[i] + k), None)
            if at is None:
                return False
            del rest[at : at + 2]
        return True

    def deepest(word: Word) -> int:
        return max(sum(1 if x < k else -1 for x in word[:i]) for i in range(len(word) + 1))

    return lambda size: [
        word
        for word in product(range(2 * k), repeat=2 * size)
        if balanced(word) and (depth is None or deepest(word) <= depth)
    ]


def weighted(words: Listing, sizes: range) -> dict[Word, Fraction]:
    """Every word with its probability: sizes uniform, then words of that size uniform."""
    listed = {size: words(size) for size in sizes}
    return {w: Fraction(1, len(sizes) * len(ws)) for ws in listed.values() for w in ws}


def streams(words: dict[Word, Fraction], separator: int, total: int) -> dict[Word, Fraction]:
    """Every stream of exactly `total` symbols with its probability given that total."""

    def all_from(left: int) -> Iterator[tuple[Word, Fraction]]:
        for word, p in words.items():
            if len(word) == left:
                yield word, p
            elif len(word) < left:
                for rest, q in all_from(left - len(word) - 1):
                    yield (*word, separator, *rest), p * q

    found = dict(all_from(total))
    whole = sum(found.values())
    return {stream: p / whole for stream, p in found.items()}


def law_of(texts: dict[Word, Fraction], prefix: Word, n_symbols: int) -> list[Fraction]:
    """The law of the symbol after a prefix, by adding up all texts that begin so; the last entry is that none comes."""
    n = len(prefix)
    mass = [Fraction(0)] * (n_symbols + 1)
    for text, p in texts.items():
        if text[:n] == prefix:
            mass[text[n] if len(text) > n else n_symbols] += p
    whole = sum(mass)
    return [p / whole for p in mass] if whole else mass
