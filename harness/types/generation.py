"""What a model wrote when it was asked for random draws, and its statistics beside an ideal generator's."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.types.curve import Transition
from harness.types.sequence import Floats, Ints, Params


@dataclass(frozen=True, slots=True)
class GenerationStatistic:
    """One statistic, averaged over the sequences of a condition, or their spread; NaN where none is long enough."""

    name: str  # e.g. "alternation rate"
    mean: float
    low: float  # 95 % interval over sequences (Student; resampled for a spread), NaN of a single one
    high: float
    ideal: float  # the mean of as many sequences of the same lengths by an ideal generator
    ideal_low: float  # the middle 95 % of such means
    ideal_high: float
    p: float  # two-sided, of the mean under the ideal generator; not corrected for several statistics


@dataclass(frozen=True, slots=True, eq=False)
class GenerationResult:
    """What a report shows of one model asked for one law, behind one number of given symbols."""

    id: str  # short and stable, usable as a file name and an anchor
    title: str
    model: str
    family: str
    params: Params
    swept: tuple[str, ...]
    alphabet: tuple[str, ...]
    law: Floats  # (n_symbols,), of the independent symbols that were asked for
    announced: bool  # whether the prompt tells it; else only the symbols given do
    context_length: int  # symbols given
    wanted: int  # symbols asked for
    asked: int  # sequences that were asked for and settled
    lengths: Ints  # (n_read,), symbols read of each text that came
    endings: Mapping[
        str, int
    ]  # why sequences are as long as they are -> how many: length, ended, cut, unread
    failures: Mapping[str, int]  # kind -> calls without a text
    shares: Floats  # (n_read, n_symbols), how often each symbol stands in each sequence; NaN of an empty one
    statistics: tuple[GenerationStatistic, ...]
    example_prompt: str
    example_text: str  # what was written first, as it came
    unread: tuple[str, ...]  # the beginnings of what was no symbol, different ones
    cost_usd: float | None

    @property
    def read(self) -> int:
        """How many texts came, those without a single symbol included."""
        return int(self.lengths.size)


@dataclass(frozen=True, slots=True, eq=False)
class ShareCurve:
    """How often a symbol was written as the probability asked for is swept."""

    id: str
    title: str
    model: str
    family: str
    symbol: str  # the first of the alphabet
    context_length: int
    announced: bool
    probability: Floats  # (n_levels,), asked for, ascending
    mean: Floats  # (n_levels,), share of the symbol, mean over sequences
    low: Floats  # (n_levels,), 95 % interval over sequences
    high: Floats
    transition: Transition | None  # None where there are too few levels to ask for one
    note: str  # why there is none, "" otherwise


@dataclass(frozen=True, slots=True, eq=False)
class Generated:
    """The sequences of one condition as arrays, for `harness.cognitive.generated` and for statistics of one's own."""

    model: str
    id: str  # that of the `GenerationResult`
    title: str
    alphabet: tuple[str, ...]
    law: Floats  # (n_symbols,), that was asked for
    given: int  # the first symbols of each row stood in the prompt
    symbols: Ints  # (n_sequences, given + wanted), indices; -1 behind the end of a sequence
    endings: tuple[str, ...]  # (n_sequences,)
