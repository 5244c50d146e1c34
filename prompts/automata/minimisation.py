"""Minimal automata in canonical numbering, from a table of transitions and the accepting states."""

import numpy as np

from harness.types import Bools, Ints


def minimal(table: Ints, accepting: Bools, start: int) -> tuple[Ints, Bools]:
    """Return table and accepting states of the minimal complete automaton, numbered canonically, start 0.

    States are merged by partition refinement (Moore 1956) and numbered as a
    breadth-first search from the start meets them, symbols in order: equal
    languages give equal tables.
    """
    table, accepting = reachable(table, accepting, start)
    kinds, block = np.unique(accepting, return_inverse=True)
    n_blocks = kinds.size
    while True:
        signature = np.column_stack([block, block[table]])
        _, first, refined = np.unique(signature, axis=0, return_index=True, return_inverse=True)
        if first.size == n_blocks:
            break
        n_blocks, block = first.size, refined.reshape(-1)
    representative = np.empty(n_blocks, np.int64)
    representative[block] = np.arange(block.size)
    return reachable(block[table[representative]], accepting[representative], int(block[0]))


def reachable(table: Ints, accepting: Bools, start: int) -> tuple[Ints, Bools]:
    """Keep the states that a breadth-first search from the start meets, in its order."""
    rows: list[list[int]] = table.tolist()
    number = {start: 0}
    order = [start]
    for state in order:  # grows while it is read
        for successor in rows[state]:
            if successor not in number:
                number[successor] = len(order)
                order.append(successor)
    kept = [[number[successor] for successor in rows[state]] for state in order]
    return np.array(kept, np.int64), accepting[order]
