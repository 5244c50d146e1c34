"""Observers: what somebody who has seen the prefix, and knows what the docstring says, predicts next.

Each takes symbol indices of shape (length,) and returns (length + 1, n_symbols):
row n is the law of symbol n given the n symbols before it. Ideal ones are exact
Bayesians; `induction_copy`, `lempel_ziv`, `window_average`, `backoff` and
`witten_bell` are declared rules that a model may follow instead.
"""

from harness.prompts.observers.automata import dfa_posterior, hmm_filter, language, stream_posterior
from harness.prompts.observers.changes import change_point
from harness.prompts.observers.copying import induction_copy, lempel_ziv
from harness.prompts.observers.counts import beta_posterior, counts, dirichlet, kt
from harness.prompts.observers.ctw import count_trees, ctw, ctw_batch
from harness.prompts.observers.markov import markov
from harness.prompts.observers.ngram import backoff, ngram, witten_bell
from harness.prompts.observers.periods import period
from harness.prompts.observers.window import alternation, discounted, window_average

__all__ = [
    "alternation",
    "backoff",
    "beta_posterior",
    "change_point",
    "count_trees",
    "counts",
    "ctw",
    "ctw_batch",
    "dfa_posterior",
    "dirichlet",
    "discounted",
    "hmm_filter",
    "induction_copy",
    "kt",
    "language",
    "lempel_ziv",
    "markov",
    "ngram",
    "period",
    "stream_posterior",
    "window_average",
    "witten_bell",
]
