"""What is said of design adaptive: in the plan what it may take, afterwards what it took and why it ended."""

from harness.plan import Item, ModelPlan
from harness.types import CurveResult, RunResult

# Mean calls of a condition until it ended, rounds of 8, 33 levels, measured by benchmarks/_analyzer_planner.py:
EXPECTED = 250  # steps and rises over .05 and .2 of the range: means 231, 206 and 305
FLAT = 250  # no change


def plan_words(plan: ModelPlan) -> list[str]:
    """Return a line for each way in which design adaptive changes a plan; none where no task asks for it."""
    asked = [item for item in plan.items if item.condition.design == "adaptive"]
    chosen = [item for item in asked if item.adaptive]
    lines = []
    if chosen:
        most = sum(item.requests for item in chosen)
        expected = sum(_expected(item) for item in chosen)
        flat = sum(_expected(item, FLAT) for item in chosen)
        share = ""
        if plan.cost_usd is not None and most:
            share = f", about {plan.cost_usd * expected / sum(i.requests for i in plan.items):.4f} USD"
        lines.append(
            f"  design adaptive: {len(chosen)} conditions of at most {most} requests, as the grid has; about "
            f"{expected}{share} where each has one transition over at most a fifth of its range, {flat} where none has"
        )
    if len(asked) > len(chosen):
        lines.append(
            f"  design adaptive: one pass scores every context length of a sequence here, so choosing among them saves "
            f"nothing; {len(asked) - len(chosen)} conditions are measured on the whole grid"
        )
    if asked and len(asked) < len(plan.items):
        lines.append(
            f"  {len(plan.items) - len(asked)} conditions are measured on the whole grid: tasks of design grid, and "
            "controls that are judged sequence by sequence beyond an observer"
        )
    return lines


def use_words(result: RunResult) -> list[str]:
    """Return a sentence for each curve that design adaptive chose the calls of."""
    return [_use(curve) for curve in result.curves if curve.adaptive is not None]


def _use(curve: CurveResult) -> str:
    use = curve.adaptive
    assert use is not None
    control = f", control {curve.control}" if curve.control else ""
    return f"adaptive: {curve.model}: {curve.title}{control}: {use.words}"


def _expected(item: Item, calls: int = EXPECTED) -> int:
    cells = len(item.condition.levels) * item.condition.sequences
    return min(item.requests, calls * max(1, item.requests // max(cells, 1)))
