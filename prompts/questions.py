"""Multiple-choice questions that stand before a sequence, from `data/questions.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from harness.errors import UnknownName, suggestion
from harness.prompts.draws import integers_below, permutation

OPTIONS = ("A", "B", "C", "D")


@dataclass(frozen=True, slots=True)
class Question:
    """A question with as many options as there are letters, the right one first."""

    name: str
    text: str
    options: tuple[str, ...]

    @property
    def subject(self) -> str:
        """What it is about: its name without the number."""
        return self.name.rpartition("_")[0]


@cache
def questions() -> Mapping[str, Question]:
    """Return every question by its name."""
    import yaml  # only the families that ask need it

    text = (resources.files("harness.data") / "questions.yaml").read_text(encoding="utf-8")
    return {
        name: Question(name, one["question"], tuple(one["options"]))
        for name, one in yaml.safe_load(text).items()
    }


def draw_question(which: str, rng: np.random.Generator) -> tuple[Question, str, str]:
    """Return a question, its text with the options in drawn order up to "Answer:", and the letter of the right one.

    `which` is the name of a question, a subject or "any". Raises UnknownName.
    """
    known = questions()
    fitting = [q for q in known.values() if which in (q.name, q.subject, "any")]
    if not fitting:
        names = [*dict.fromkeys(q.subject for q in known.values()), *known, "any", "none"]
        raise UnknownName(f"no question {which!r}{suggestion(which, names)}")
    found = fitting[int(integers_below(len(fitting), 1, rng)[0])]
    order = permutation(len(OPTIONS), rng).tolist()
    listed = [f"{letter}. {found.options[i]}" for letter, i in zip(OPTIONS, order, strict=True)]
    return found, "\n".join([found.text, *listed, "Answer:"]), OPTIONS[order.index(0)]
