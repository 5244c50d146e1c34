"""The law of maximal entropy on the endless words of an automaton (Parry 1964)."""

import numpy as np

from harness.errors import SpecError
from harness.prompts.automata.dfa import DFA
from harness.prompts.automata.perron import growth, high_power
from harness.types import Bools, Floats

_EQUAL = 1e-9  # growth rates nearer than this are the same


def parry(dfa: DFA) -> tuple[float, Floats]:
    """Return the growth rate of a language's prefixes and, for every state, the law that makes all equally likely.

    With M the numbers of symbols between states that a word can still be
    finished from, lambda its largest eigenvalue and v its right eigenvector,
    p(a | q) = v_{q'} / (lambda v_q) with q' = table[q, a]: what the uniform law
    on prefixes of length n tends to far from their ends (averaged over its period,
    if it has one). The entropy rate is log2(lambda) bits. Laws have shape
    (n_states, n_symbols); rows are NaN for dead states and for those from which
    the language grows more slowly, to which the law never leads.

    Raises SpecError where words cannot go on for ever, and where several parts
    of the automaton grow equally fast, as in 0*1*: their law of maximal entropy
    is not unique.
    """
    live = dfa.live
    m = np.zeros((dfa.n_states, dfa.n_states))
    np.add.at(m, (np.repeat(np.arange(dfa.n_states), dfa.n_symbols), dfa.table.reshape(-1)), 1.0)
    m = np.where(live[:, None] & live, m, 0.0)
    reach = _closure(m > 0)
    reach_from_start = reach[dfa.start] | (np.arange(dfa.n_states) == dfa.start)
    parts = {
        tuple(np.flatnonzero(reach[q] & reach[:, q]).tolist()) for q in np.flatnonzero(reach_from_start)
    } - {()}
    if not parts:
        raise SpecError(
            "this language is finite: it has no law of endless words; take the uniform law at a length"
        )
    rates = {part: growth(m[np.ix_(part, part)]) for part in parts}
    rate = max(rates.values())
    fastest = [part for part in parts if rates[part] > rate - _EQUAL]
    if len(fastest) > 1:
        raise SpecError(
            f"{len(fastest)} parts of this automaton grow equally fast ({rate:.6g} a symbol): its law of maximal "
            "entropy is not unique; take the uniform law at a length"
        )
    grows = reach_from_start & (reach[:, fastest[0][0]])
    v = np.zeros(dfa.n_states)
    v[grows] = high_power(m[np.ix_(grows, grows)]).sum(axis=1)
    after = v[dfa.table]
    with np.errstate(invalid="ignore"):
        return rate, np.asarray(after / after.sum(axis=1, keepdims=True))


def _closure(edges: Bools) -> Bools:
    """Return between which states a path of at least one edge leads."""
    reach = edges
    while True:
        more = reach | (reach[:, :, None] & reach[None]).any(axis=1)
        if (more == reach).all():
            return reach
        reach = more
