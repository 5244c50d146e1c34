"""What the name of a model says: `NAME@STEP` is a checkpoint of a training series."""


def step_of(model: str) -> tuple[str, int] | None:
    """Return the series and the training step that a model's name says, None where it says none."""
    series, at, step = model.rpartition("@")
    return (series, int(step)) if at and step.isdecimal() else None


def in_order(model: str) -> tuple[str, int]:
    """Return what to sort names by: alphabetically, the checkpoints of a series by their step."""
    return step_of(model) or (model, -1)
