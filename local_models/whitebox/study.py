"""One white-box measurement of a study: what is asked is found by its kind, and gives named arrays.

How a kind of measurement plugs in:

1. here: a module with `measure(loaded, study, job) -> Arrays`, named in
   `_MODULES`. It is a pure function: the same checkpoint, study and job give the
   same arrays, whatever was measured before. `job` is plain JSON and holds every
   setting; seeds come from `study.seed`. Rows of tokens and the place of each
   context length come from `states_at` and `token_rows` below, so that every
   kind reads the same positions that the behavioural scorer reads;
2. in the core: see the top of `harness/whitebox.py`.

One job is one row of the store, committed when it ends: cut the work into jobs
of seconds to a minute (a layer, a context length), since an interrupted run
goes on at the first one that is missing. The progress bar counts jobs.
"""

import importlib
from collections.abc import Sequence as Seq

import numpy as np

from harness.errors import WhiteBoxError
from harness.local_models.alignment import Aligner
from harness.local_models.loading import LoadedModel
from harness.local_models.whitebox.batching import Activations
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.sites import Site, TokenRows
from harness.types import Request
from harness.types.whitebox import Arrays, Job, WhiteBoxStudy

_MODULES = {  # kind of measurement -> module of this package
    "decodability": "reading",
    "steering": "steering",
    "geometry": "geometry",
    "induction": "induction",
    "emergence": "emergence.measuring",
    "capability": "capability",
}


def measure(loaded: LoadedModel, kind: str, study: WhiteBoxStudy, job: Job) -> Arrays:
    """Make one measurement. Raises WhiteBoxError for a kind that there is not, and what the kind itself raises."""
    if kind not in _MODULES:
        raise WhiteBoxError(f"no white-box measurement {kind!r}; there are {', '.join(sorted(_MODULES))}")
    module = importlib.import_module(f"harness.local_models.whitebox.{_MODULES[kind]}")
    return module.measure(loaded, study, job)  # type: ignore[no-any-return]


def token_rows(loaded: LoadedModel, study: WhiteBoxStudy, context_lengths: Seq[int]) -> TokenRows:
    """Return the token rows of all trials, in order, with the span "contexts": the last token of each context.

    A completion is one row a trial and `contexts` names one place a context
    length. Raises WhiteBoxError where a context is a row of its own (a chat, a
    question: use `states_at`), or where one has no token (n = 0 without BOS).
    """
    aligner = Aligner(loaded.tokenizer, loaded.max_tokens)
    rows, places = [], []
    for trial in study.trials:
        aligned = aligner.align(Request("prefixes", trial.prompt, tuple(context_lengths)))
        if len(aligned.rows) > 1:
            raise WhiteBoxError(
                f"{study.title}: each context is a row of its own in this form; read one context length at a time"
            )
        (row,) = aligned.rows
        _check_places(study, row.positions, context_lengths)
        rows.append(row.tokens)
        places.append(row.positions)
    return TokenRows(tuple(rows), {"contexts": tuple(places)})


def states_at(
    box: WhiteBox, loaded: LoadedModel, study: WhiteBoxStudy, context_length: int, layers: Seq[int]
) -> Activations:
    """Return the residual stream after some blocks, at the last token of one context length.

    Shape (n_trials, n_layers, width), whatever the prompt's form. Layer -1 is
    the stream before the first block: the embedding.
    """
    aligner = Aligner(loaded.tokenizer, loaded.max_tokens)
    rows, places = [], []
    for trial in study.trials:
        (row,) = aligner.align(Request("prefixes", trial.prompt, (context_length,))).rows
        _check_places(study, row.positions, (context_length,))
        rows.append(row.tokens)
        places.append(row.positions)
    sites = [
        Site(layer, "output", "contexts") if layer >= 0 else Site(0, "input", "contexts") for layer in layers
    ]
    states = box.captured(TokenRows(tuple(rows), {"contexts": tuple(places)}), sites)
    return np.ascontiguousarray(states[:, :, 0])


def _check_places(study: WhiteBoxStudy, places: Seq[int], context_lengths: Seq[int]) -> None:
    if min(places) < 0:
        n = context_lengths[int(np.argmin(places))]
        raise WhiteBoxError(
            f"{study.title}: a context of {n} symbols has no token in this model, so no state; begin at a longer one"
        )
