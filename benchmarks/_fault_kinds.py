"""Which fault answers which call: from a seed, the content of the call and its attempt, never from the clock.

So a campaign is the same whatever order calls arrive in, a call that failed can
succeed when it is made again, and a few calls fail for good.
"""

from dataclasses import dataclass
from typing import Literal

from benchmarks._fault_law import uniform

Way = Literal["echo", "top", "draw", "chat"]
Fate = Literal["scored", "failed", "outside"]
"""What must become of a call whose last reply is of a kind.

`scored`: the reply is right. `failed`: a typed failure, in neither k nor n.
`outside`: drawn text that is no symbol, a behaviour and in neither k nor n.
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One way for a server to go wrong."""

    name: str
    billed: bool  # the provider computed an answer and charges for it
    whole: bool = True  # an HTTP 200 reply to this very call arrived from end to end: asking again pays twice
    fate: Fate = "failed"
    ways: tuple[Way, ...] = ("echo", "top", "draw", "chat")  # those it can happen to


GOOD = Kind("good", billed=True, fate="scored")
THROTTLED = Kind("throttled", billed=False, whole=False)
_LOGPROBS: tuple[Way, ...] = ("echo", "top", "chat")
KINDS: tuple[Kind, ...] = (
    Kind("429", billed=False, whole=False),
    Kind("429 with Retry-After", billed=False, whole=False),
    Kind("500", billed=False, whole=False),
    Kind("502", billed=False, whole=False),
    Kind("503", billed=False, whole=False),
    Kind("529", billed=False, whole=False),
    Kind("reset before the answer", billed=False, whole=False),
    Kind("reset after the answer", billed=True, whole=False),
    Kind("slow body", billed=True, fate="scored"),
    Kind("truncated JSON", billed=True),
    Kind("shorter than Content-Length", billed=True, whole=False),
    Kind("wrong JSON", billed=True),
    Kind("missing logprobs", billed=True, ways=_LOGPROBS),
    Kind("fewer choices", billed=True),
    Kind("NaN", billed=True, ways=_LOGPROBS),
    Kind("empty text", billed=True, ways=_LOGPROBS),
    Kind("empty text drawn", billed=True, fate="outside", ways=("draw",)),
    Kind("a choice twice", billed=True, ways=("draw",)),
    Kind("reply of another call", billed=True, whole=False),  # no answer to this call: it may be asked again
    Kind("reply sent twice", billed=True, fate="scored"),
    Kind("changed model id", billed=True, fate="scored"),
    Kind("refusal", billed=True, ways=_LOGPROBS),
    Kind("refusal drawn", billed=True, fate="outside", ways=("draw",)),
    Kind("content filter", billed=True),
    Kind("context-length 400", billed=False, whole=False),
)
BY_NAME = {kind.name: kind for kind in (GOOD, THROTTLED, *KINDS)}
LASTING = ("503", "reset before the answer")  # what calls that fail for good are answered, every time


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often calls go wrong."""

    seed: int
    rate: float  # of attempts, in [0, 1]
    lasting: float = 0.0  # of calls, those that never succeed
    without: tuple[str, ...] = ()  # names of kinds that do not happen

    def kind(self, way: Way, content: str, attempt: int) -> Kind:
        """Return what answers this attempt (1 is the first) of a call."""
        if uniform(self.seed, "lasting", content) < self.lasting:
            return BY_NAME[LASTING[int(2 * uniform(self.seed, "which", content))]]
        if uniform(self.seed, "fault", content, attempt) >= self.rate:
            return GOOD
        known = [kind for kind in KINDS if way in kind.ways and kind.name not in self.without]
        return known[int(len(known) * uniform(self.seed, "kind", content, attempt))]
