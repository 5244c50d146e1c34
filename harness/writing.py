"""How the sequences of a condition are written as prompts: named wordings, counterbalanced symbols, questions."""

import re
from dataclasses import dataclass

from harness.errors import SpecError
from harness.prompts.announcing import LAW, announce
from harness.prompts.counterbalance import assignment, assignments, counterbalanced
from harness.prompts.judgment import ask
from harness.prompts.rendering import SLOT, render
from harness.spec import RenderSpec
from harness.types import Prompt, Sequence
from harness.wordings import Wording, generation_wording, question, wording

RANDOM, STRUCTURED = 0, 1  # the options of a question: a random process made the sequence, or a rule did


@dataclass(frozen=True, slots=True)
class Writing:
    """A condition's words, resolved: what a name in the suite stood for when it was run."""

    spec: RenderSpec
    template: str | None
    instruction: str
    options: tuple[str, ...]  # of a question; () where the next symbol is predicted
    length: int = 0  # symbols that are asked for, where the model is to write a sequence of its own

    def prompt(self, sequence: Sequence, replicate: int) -> Prompt:
        """Write one sequence; where symbols are counterbalanced, the replicate decides which surface is which."""
        spec = self.spec
        names = sequence.alphabet if spec.symbols is None else tuple(spec.symbols)
        _check_named(sequence, names, counterbalanced=spec.counterbalance)
        if spec.counterbalance:
            names = counterbalanced(names, replicate)
        if self.options:
            assert self.template is not None, "checked when it was resolved"
            order = assignment(len(self.options), replicate) if spec.counterbalance else None
            return ask(
                sequence,
                template=self.template,
                options=self.options,
                order=order,
                symbols=names,
                separator=spec.separator,
                form=spec.form,
            )
        return render(
            sequence,
            symbols=names,
            separator=spec.separator,
            form=spec.form,
            template=self._told(self.template or SLOT, sequence, names) if self.length else self.template,
            instruction=self._told(self.instruction, sequence, names) if self.length else self.instruction,
        )

    def _told(self, text: str, sequence: Sequence, names: tuple[str, ...]) -> str:
        return announce(
            text, names=names, law=sequence.law[0], length=self.length, separator=self.spec.separator
        )

    @property
    def announces(self) -> bool:
        """Whether the prompt tells the probabilities of the symbols that it asks for."""
        return LAW in f"{self.template} {self.instruction}"

    def groups(self, n_symbols: int) -> int:
        """Return in how many ways symbols are assigned to surfaces, 1 where they are not counterbalanced."""
        return len(assignments(n_symbols)) if self.spec.counterbalance else 1

    @property
    def key(self) -> dict[str, object]:
        """What of it decides the prompts; the same as ever for what suites could say before."""
        known = {k: getattr(self.spec, k) for k in ("symbols", "separator", "form")} | {
            "template": self.template
        }
        if self.instruction:
            known["instruction"] = self.instruction
        if self.options:
            known["options"] = list(self.options)
        if self.spec.counterbalance:
            known["counterbalance"] = True
        return known


def _check_named(sequence: Sequence, names: tuple[str, ...], *, counterbalanced: bool) -> None:
    """Raise SpecError where the text before a sequence names symbols that would be written otherwise."""
    pairs = zip(sequence.alphabet, names, strict=False)
    moved = [old for old, new in pairs if old != new and re.search(rf"\b{re.escape(old)}\b", sequence.before)]
    if moved or (sequence.before and counterbalanced):
        what = ", ".join(map(repr, moved)) or "symbols"
        raise SpecError(
            f"render: the text before the sequence names {what}, which would be written otherwise; leave "
            "counterbalance out and keep those names under symbols"
        )


def resolve(spec: RenderSpec, family: str, readout: str, length: int = 0) -> Writing:
    """Return the words that a suite's render section stands for. Raises SpecError where they contradict each other."""
    asks = readout == "judgment"
    if spec.wording is not None and (spec.template is not None or spec.instruction):
        raise SpecError(
            f"render: wording {spec.wording!r} beside a template or an instruction; give one of them"
        )
    if not asks and spec.options is not None:
        raise SpecError("render: options belong to readout: judgment")
    if readout == "generation":
        return _generating(spec, length)
    if not asks:
        words = wording(spec.wording, spec.form, family) if spec.wording is not None else None
        return Writing(
            spec,
            words.template if words else spec.template,
            words.instruction if words else spec.instruction,
            (),
        )
    if (spec.template is None) != (spec.options is None):
        raise SpecError("render: a question of your own needs a template and options: [RANDOM, STRUCTURED]")
    if spec.template is not None and spec.options is not None:
        return Writing(spec, spec.template, "", tuple(spec.options))
    asked = question(spec.wording or "neutral", spec.form)
    return Writing(spec, asked.template, "", asked.options)


def _generating(spec: RenderSpec, length: int) -> Writing:
    """Return the words that ask for a sequence; those announce its law unless the suite says otherwise."""
    words = Wording(spec.template or SLOT, spec.instruction)
    if spec.template is None and not spec.instruction:
        words = generation_wording(spec.wording or "announced", spec.form)
    if spec.form == "prefill" and not words.template.partition(SLOT)[0].strip():
        raise SpecError(
            f"render: template {words.template!r}: in form prefill words must stand before {SLOT}, as some services "
            "repeat the answer that was begun, which symbols alone would not show"
        )
    return Writing(spec, words.template, words.instruction, (), length)
