"""How the sequences of a condition are written as prompts: named wordings, counterbalanced symbols, questions."""

from dataclasses import dataclass

from harness.errors import SpecError
from harness.prompts.counterbalance import assignment, assignments, counterbalanced
from harness.prompts.judgment import ask
from harness.prompts.rendering import render
from harness.spec import RenderSpec
from harness.types import Prompt, Sequence
from harness.wordings import question, wording

RANDOM, STRUCTURED = 0, 1  # the options of a question: a random process made the sequence, or a rule did


@dataclass(frozen=True, slots=True)
class Writing:
    """A condition's words, resolved: what a name in the suite stood for when it was run."""

    spec: RenderSpec
    template: str | None
    instruction: str
    options: tuple[str, ...]  # of a question; () where the next symbol is predicted

    def prompt(self, sequence: Sequence, replicate: int) -> Prompt:
        """Write one sequence; where symbols are counterbalanced, the replicate decides which surface is which."""
        spec = self.spec
        names = sequence.alphabet if spec.symbols is None else tuple(spec.symbols)
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
            template=self.template,
            instruction=self.instruction,
        )

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


def resolve(spec: RenderSpec, family: str, readout: str) -> Writing:
    """Return the words that a suite's render section stands for. Raises SpecError where they contradict each other."""
    asks = readout == "judgment"
    if spec.wording is not None and (spec.template is not None or spec.instruction):
        raise SpecError(
            f"render: wording {spec.wording!r} beside a template or an instruction; give one of them"
        )
    if not asks:
        if spec.options is not None:
            raise SpecError("render: options belong to readout: judgment")
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
