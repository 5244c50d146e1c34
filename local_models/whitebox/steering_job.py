"""The settings of one steering measurement, read from the plain JSON of its job."""

from dataclasses import dataclass

from harness.types.whitebox import Job


@dataclass(frozen=True, slots=True)
class Asked:
    """A job read: what is added where, and on which trials it is measured."""

    direction: str  # "concept", "random", "wrong", "untrained" or "self_patch"
    layer: int
    made_of: str  # "mean_difference", "principal" or "task_vector"
    positive: int  # label that a positive scale steers towards
    negative: int
    wrong: tuple[int, int] | None  # another concept, positive and negative
    scales: tuple[float, ...]  # of the mean residual norm; the natural scale of each sign is added
    draws: int  # of random directions
    lengths: (
        tuple[int, ...] | None
    )  # context lengths the direction is read at; None: before behaviour changes


def read(job: Job) -> Asked:
    """Read the settings of a job."""
    wrong, lengths = job["wrong"], job["lengths"]
    return Asked(
        direction=str(job["direction"]),
        layer=int(str(job["layer"])),
        made_of=str(job["made_of"]),
        positive=int(str(job["positive"])),
        negative=int(str(job["negative"])),
        wrong=(int(str(wrong[0])), int(str(wrong[1]))) if isinstance(wrong, list) else None,
        scales=tuple(float(str(s)) for s in job["scales"]) if isinstance(job["scales"], list) else (),
        draws=int(str(job["draws"])),
        lengths=tuple(int(str(n)) for n in lengths) if isinstance(lengths, list) else None,
    )
