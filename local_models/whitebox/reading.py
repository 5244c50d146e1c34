"""Decodability as a measurement of a study: every layer's states at one context length, read by each decoder."""

import numpy as np
from numpy.typing import NDArray

from harness.errors import WhiteBoxError
from harness.local_models.loading import LoadedModel
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.decodability import Decoded, Features, knn, logistic
from harness.local_models.whitebox.study import states_at
from harness.types import Ints
from harness.types.whitebox import Arrays, Job, WhiteBoxStudy


def measure(loaded: LoadedModel, study: WhiteBoxStudy, job: Job) -> Arrays:
    """Read the label of every trial from its state at `context_length`, for each of `layers` and `probes`.

    Gives for each probe `PROBE_hits` (n_layers, n_trials), and `PROBE_chance`,
    `PROBE_chance_high` and `PROBE_p_value` (n_layers,), of shuffled labels; and
    `context_groups`, how many groups the trials fall into. Trials whose contexts
    are the same symbols are one group, besides those that the study groups:
    otherwise a decoder would look a context up that it has seen. With too few
    groups to leave one out nothing is decoded and the hits are absent: the
    record then holds `context_groups` alone.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    n, layers, probes = int(_number(job, "context_length")), _list(job, "layers"), _list(job, "probes")
    groups = context_groups(study, n)
    found: dict[str, NDArray[np.generic]] = {"context_groups": np.array(len(np.unique(groups)))}
    labels, k = study.label, int(_number(job, "k"))
    if _fewest_others(groups) < k:
        return found
    box = WhiteBox(loaded.model, loaded.tokenizer)
    states = states_at(box, loaded, study, n, [int(str(layer)) for layer in layers])
    for probe in probes:
        with threadpool_limits(1):  # tables of some hundred rows: threads would wait for each other
            read = [
                _read(str(probe), x, labels, groups, study.seed, k, int(_number(job, "shuffles")))
                for x in states.swapaxes(0, 1)
            ]
        found[f"{probe}_hits"] = np.stack([d.hits for d in read])
        for name in ("chance", "chance_high", "p_value"):
            found[f"{probe}_{name}"] = np.array([getattr(d, name) for d in read])
    return found


def context_groups(study: WhiteBoxStudy, context_length: int) -> Ints:
    """Return groups of trials joined where they share a group of the study or all symbols of the context."""
    parent = list(range(len(study.trials)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[object, int] = {}
    for i, trial in enumerate(study.trials):
        for key in (("group", trial.group), trial.prompt.text(context_length)):
            parent[root(i)] = root(first.setdefault(key, i))
    return np.array([root(i) for i in range(len(parent))], dtype=np.int64)


def _fewest_others(groups: Ints) -> int:
    """Return how many trials of other groups there are at least: 0 for a single group."""
    return int(len(groups) - np.unique(groups, return_counts=True)[1].max())


def _read(probe: str, x: Features, labels: Ints, groups: Ints, seed: int, k: int, shuffles: int) -> Decoded:
    rng = np.random.default_rng(seed)  # the same shuffles at every layer: their differences are the layers'
    if probe == "knn":
        return knn(x, labels, groups, rng, k=k, shuffles=shuffles)
    if probe == "logistic":
        return logistic(x, labels, groups, rng)
    raise WhiteBoxError(f"no decoder {probe!r}; there are knn and logistic")


def _number(job: Job, name: str) -> float:
    value = job.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise WhiteBoxError(f"{name}={value!r} is not a number: a decodability job needs one")
    return value


def _list(job: Job, name: str) -> list[object]:
    value = job.get(name)
    if not isinstance(value, list) or not value:
        raise WhiteBoxError(f"{name}={value!r} is not a list of at least one: a decodability job needs one")
    return list(value)
