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
from harness.prompts.observers.delayed_periods import delayed_period
from harness.prompts.observers.evidence import against_random
from harness.prompts.observers.hidden_markov import hmm_memory
from harness.prompts.observers.known_patterns import known_pattern
from harness.prompts.observers.markov import markov
from harness.prompts.observers.ngram import backoff, ngram, witten_bell
from harness.prompts.observers.noisy_periods import noisy_period
from harness.prompts.observers.periods import period, period_posterior
from harness.prompts.observers.recurrences import linear_recurrence
from harness.prompts.observers.sparse import unigram_sparse
from harness.prompts.observers.walks import neighbours, placement, undirected
from harness.prompts.observers.window import alternation, discounted, window_average

__all__ = [
    "against_random",
    "alternation",
    "backoff",
    "beta_posterior",
    "change_point",
    "count_trees",
    "counts",
    "ctw",
    "ctw_batch",
    "delayed_period",
    "dfa_posterior",
    "dirichlet",
    "discounted",
    "hmm_filter",
    "hmm_memory",
    "induction_copy",
    "known_pattern",
    "kt",
    "language",
    "lempel_ziv",
    "linear_recurrence",
    "markov",
    "neighbours",
    "ngram",
    "noisy_period",
    "period",
    "period_posterior",
    "placement",
    "stream_posterior",
    "undirected",
    "unigram_sparse",
    "window_average",
    "witten_bell",
]
