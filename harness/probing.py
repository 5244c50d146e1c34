"""What a model can report of a suite's symbols: probed once for each way they are written, then remembered."""

from collections.abc import Sequence
from dataclasses import replace

from harness.conditions import Condition
from harness.errors import SpecError
from harness.model_records import ModelRecord, read_record
from harness.store import Store
from harness.types import Capabilities, Form, Learner, Model

Written = tuple[tuple[str, ...], str, Form]  # surfaces, what stands between them, form of prompt


async def establish(model: Model, conditions: Sequence[Condition], store: Store | None) -> Capabilities:
    """Return what a model can do with these conditions, from the run's record or by probing.

    A record of a model that has changed since is not used.
    """
    record = recorded(model, store)
    if record is None:
        return together([await model.probe(*written) for written in ways_written(conditions)])
    if isinstance(model, Learner) and record.learned:
        model.recall(record.learned)
    return record.capabilities


def recorded(model: Model, store: Store | None) -> ModelRecord | None:
    """Return what this run already established of the model, unless the model has changed since."""
    text = store.models().get(model.name) if store else None
    record = read_record(text) if text else None
    return record if record and record.fingerprint == model.fingerprint else None


def ways_written(conditions: Sequence[Condition]) -> list[Written]:
    """Return every way in which symbols are written in these conditions, each separator once.

    Raises SpecError if the forms of prompt differ: what a model can report
    differs between them, so that they are suites of their own.
    """
    prompts = [c.prompt(c.sequence(0)) for c in conditions if c.control is None]
    forms = {prompt.form for prompt in prompts}
    if len(forms) > 1:
        raise SpecError(
            f"render: {{form: ...}} differs between tasks ({', '.join(sorted(forms))}); make one suite of each"
        )
    surfaces: dict[str, dict[str, None]] = {}
    for prompt in prompts:
        surfaces.setdefault(prompt.between, {}).update(dict.fromkeys(prompt.surfaces))
    return [(tuple(names), between, prompts[0].form) for between, names in surfaces.items()]


def together(found: Sequence[Capabilities]) -> Capabilities:
    """Return what holds for every way of writing: the least of each."""
    first = found[0]
    windows = [c.max_context_tokens for c in found if c.max_context_tokens is not None]
    return replace(
        first,
        prefixes=all(c.prefixes for c in found),
        top_logprobs=min(c.top_logprobs for c in found),
        full=all(c.full for c in found),
        max_samples=min(c.max_samples for c in found),
        seed=all(c.seed for c in found),
        max_context_tokens=min(windows, default=None),
        prefill=all(c.prefill for c in found),
        logit_bias=all(c.logit_bias for c in found),
        tokenizer=all(c.tokenizer for c in found),
        hidden_tokens=max(c.hidden_tokens for c in found),
        answer_tokens=max(c.answer_tokens for c in found),
        probe_tokens=(sum(c.probe_tokens[0] for c in found), sum(c.probe_tokens[1] for c in found)),
        findings=tuple(dict.fromkeys(f for c in found for f in c.findings)),
    )
