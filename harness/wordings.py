"""The wordings of prompts that a suite picks by name, from `data/wordings.yaml`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict

from harness.errors import SpecError, UnknownName, suggestion
from harness.types import Form

_OWN, _OTHER = "{source}", "{other_source}"  # the phrase of the family, and of the one it is mistaken for


@dataclass(frozen=True, slots=True)
class Wording:
    """What stands around a sequence: the template of `render`, and the instruction of form "prefill"."""

    template: str
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """The template and the options of `judgment.ask`; the first option says that the sequence is random."""

    template: str
    options: tuple[str, ...]


def wording(name: str, form: Form, family: str) -> Wording:
    """Return a wording for sequences of a family, its slots for their source filled in.

    Raises UnknownName for a wording there is none of in this form, and SpecError
    for one that names the source of a family without a phrase for it.
    """
    known = _bank().prompts.get(form, {})
    _check_known(name, form, known)
    return Wording(_filled(known[name].template, family), _filled(known[name].instruction, family))


def generation_wording(name: str, form: Form) -> Wording:
    """Return a wording that asks for a sequence of random draws, with the slots of `announce`. Raises UnknownName."""
    known = _bank().generations.get(form, {})
    _check_known(name, form, known)
    return Wording(known[name].template, known[name].instruction)


def question(name: str, form: Form) -> Question:
    """Return a question about a whole sequence. Raises UnknownName."""
    known = _bank().questions.get(form, {})
    _check_known(name, form, known)
    return Question(known[name].template, tuple(known[name].options))


def wording_names(form: Form) -> tuple[str, ...]:
    """Return the names of the wordings in a form."""
    return tuple(_bank().prompts[form])


def question_names(form: Form) -> tuple[str, ...]:
    """Return the names of the questions in a form; there are none for an answer that is begun."""
    return tuple(_bank().questions.get(form, {}))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Prompt(_Strict):
    template: str
    instruction: str = ""


class _Question(_Strict):
    template: str
    options: list[str]


class _Source(_Strict):
    source: str
    mistaken_for: str


class _Bank(_Strict):
    prompts: Mapping[Form, Mapping[str, _Prompt]]
    generations: Mapping[Form, Mapping[str, _Prompt]]
    questions: Mapping[Form, Mapping[str, _Question]]
    sources: Mapping[str, _Source]


@cache
def _bank() -> _Bank:
    text = (resources.files("harness.data") / "wordings.yaml").read_text(encoding="utf-8")
    return _Bank.model_validate(yaml.safe_load(text))


def _check_known(name: str, form: Form, known: Collection[str]) -> None:
    if name not in known:
        raise UnknownName(
            f"no wording {name!r} in form {form!r}{suggestion(name, known)}; or give a template"
        )


def _filled(text: str, family: str) -> str:
    """Return a text with the phrases for the source of a family in the place of its slots."""
    if _OWN not in text and _OTHER not in text:
        return text
    sources = _bank().sources
    if family not in sources:
        raise SpecError(
            f"family {family!r} has no phrase for where its symbols come from{suggestion(family, sources)}; "
            "give a template of your own"
        )
    own = sources[family]
    return text.replace(_OWN, own.source).replace(_OTHER, sources[own.mistaken_for].source)
