"""What commands say of the white-box part of a run: before it, how much will be measured; after it, what was found."""

from collections.abc import Iterator

from harness.plan import ModelPlan
from harness.spec import SuiteSpec
from harness.types import RunResult
from harness.whitebox import has_whitebox, jobs_of
from harness.whitebox_studies import studies_of


def whitebox_words(plan: ModelPlan, suite: SuiteSpec, limit: int | None) -> list[str]:
    """Return what will be measured inside a model, or why nothing will be."""
    if not has_whitebox(suite):
        return []
    if plan.n_layers is None:
        return [
            "  whitebox sections are skipped: this model is not run here, so its activations cannot be reached"
        ]
    lines = []
    for asked in studies_of(suite, limit=limit):
        jobs = jobs_of(asked.spec, asked.study, plan.n_layers)
        counts = ", ".join(f"{len(these)} {kind}" for kind, these in jobs.items())
        lines.append(
            f"  inside, {asked.study.title}, concept {asked.study.concept}: {counts} measurements on "
            f"{len(asked.study.trials)} sequences, {plan.n_layers} layers"
        )
    return lines


def inside_words(result: RunResult) -> Iterator[str]:
    """Yield what was found inside, in the words of the report."""
    if not result.whitebox:
        return
    from harness.reporting.whitebox import across_sentences, inside_blocks

    for block in inside_blocks([result]):
        yield f"inside {block.model}: {block.title}"
        yield from (f"  {sentence}" for part in block.shown for sentence in (*part.sentences, *part.cautions))
        yield from (f"  {sentence}" for sentence in block.missing)
    yield from across_sentences([result])
