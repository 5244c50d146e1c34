"""Sequences of distinct entities and the states they leave: after every prefix, and after each token alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from math import perm

import numpy as np
from numpy.typing import NDArray

from harness.errors import WhiteBoxError
from harness.local_models.whitebox.batching import Activations
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.emergence.enumerable import arrangement_bits
from harness.local_models.whitebox.sites import Site, TokenRows
from harness.types import Floats, Ints


@dataclass(frozen=True, slots=True)
class EntityTokens:
    """Entities that are one token each, `shots` of them in a row, all different, each followed by a separator.

    With BOS where the tokenizer adds one. Token t, 0-based after BOS, belongs to
    entity t // step, and is an entity where t % step is 0.
    """

    begin: tuple[int, ...]  # BOS, or nothing
    entities: tuple[int, ...]
    separator: tuple[int, ...]  # one token or none
    shots: int

    @property
    def step(self) -> int:
        """Tokens for one entity: 2 with a separator, else 1."""
        return 1 + len(self.separator)

    @property
    def n_tokens(self) -> int:
        """T, tokens of a whole sequence without BOS."""
        return self.shots * self.step

    def n_drawn(self, t: int) -> int:
        """Return the entities among the tokens up to and including t."""
        return t // self.step + 1

    def n_prefixes(self, t: int) -> int:
        """Return how many different prefixes end with token t, all equally likely."""
        return perm(len(self.entities), self.n_drawn(t))

    def token_bits(self, t: int) -> float:
        """Return the entropy of token t alone, in bits."""
        return float(np.log2(len(self.entities))) if t % self.step == 0 else 0.0

    def macro_bits(self, layer: int, t: int) -> float:
        """Return I(h_{l+1}; h_l) at token t where no two inputs share a state, in bits.

        Before the first block a state is the embedding of its own token; after
        it, a state may hold the whole prefix.
        """
        return self.token_bits(t) if layer == 0 else arrangement_bits(len(self.entities), self.n_drawn(t))

    def all_orders(self, t: int) -> Ints:
        """Return the entities of every prefix that ends with token t: (n_prefixes, n_drawn)."""
        return np.array(list(permutations(range(len(self.entities)), self.n_drawn(t))), dtype=np.int64)

    def drawn_orders(self, t: int, n: int, rng: np.random.Generator) -> Ints:
        """Return the entities of `n` independent prefixes that end with token t: (n, n_drawn)."""
        return np.argsort(rng.random((n, len(self.entities))), axis=1)[:, : self.n_drawn(t)]

    def rows(self, orders: Ints, t: int) -> TokenRows:
        """Return prefixes that end with token t as token rows."""
        entities = np.array(self.entities, dtype=np.int64)[orders]
        separators = np.broadcast_to(np.array(self.separator, dtype=np.int64), (*orders.shape, self.step - 1))
        tokens = np.concatenate([entities[..., None], separators], axis=2).reshape(len(orders), -1)[
            :, : t + 1
        ]
        return TokenRows(tuple((*self.begin, *row) for row in tokens.tolist()))

    def alone(self) -> TokenRows:
        """Return each entity as a sequence of its own."""
        return TokenRows(tuple((*self.begin, entity) for entity in self.entities))


def entity_tokens(box: WhiteBox, entities: tuple[str, ...], separator: str, shots: int) -> EntityTokens:
    """Return the tokens of entities and separator, having checked that a tokenizer writes them so.

    Raises WhiteBoxError for entities that are not one token each in their place,
    for the same one twice, and for more shots than there are entities.
    """
    if len(set(entities)) < len(entities) or not 1 <= shots <= len(entities):
        raise WhiteBoxError(
            f"{shots} different entities are to be drawn from {len(entities)}: name each once, and at least "
            "as many as there are shots"
        )
    begin = box.tokenize([""]).ids[0] if _adds_tokens(box) else ()
    cut = len(begin)
    found = [row[cut:] for row in box.tokenize([entity + separator for entity in entities]).ids]
    wanted = 1 + bool(separator)
    for entity, tokens in zip(entities, found, strict=True):
        if len(tokens) != wanted:
            raise WhiteBoxError(
                f"{entity + separator!r} is {len(tokens)} tokens of this model where {wanted} are needed: one for "
                "the entity, one for the separator; choose other entities or another separator"
            )
    tail = found[0][1:]
    design = EntityTokens(begin, tuple(tokens[0] for tokens in found), tail, shots)
    pairs = [(i, (i + 1) % len(entities)) for i in range(len(entities))]
    written = box.tokenize([entities[i] + separator + entities[j] + separator for i, j in pairs])
    composed = EntityTokens(begin, design.entities, tail, 2).rows(np.array(pairs), 2 * design.step - 1)
    for (i, j), one, other in zip(pairs, written.ids, composed.ids, strict=True):
        if one != other:
            raise WhiteBoxError(
                f"this model writes {entities[i]!r} and {entities[j]!r} with other tokens side by side than alone; "
                "choose other entities or another separator"
            )
    return design


def block_states(box: WhiteBox, rows: TokenRows, layer: int) -> tuple[Activations, Activations]:
    """Return the residual stream before and after a block at the last token of each row: (n, width) twice."""
    states = box.captured(rows, [Site(layer, "input", "last"), Site(layer, "output", "last")], batch_size=256)
    return np.ascontiguousarray(states[:, 0, 0]), np.ascontiguousarray(states[:, 1, 0])


def prefix_cross_entropy(box: WhiteBox, design: EntityTokens, orders: Ints, t: int) -> NDArray[np.float64]:
    """Return what the model spends on each prefix that ends with token t, -log2 p: shape (n,), in bits.

    Where no token comes before the first, the first is taken as uniform on the entities.
    """
    rows = design.rows(orders, t)
    columns = sorted({*design.entities, *design.separator})
    where = {token: k for k, token in enumerate(columns)}
    log_p = box.log_probs(rows, columns, positions="all", batch_size=256)
    lead = len(design.begin)
    return np.array([sum(bits) for bits in _spent(rows, log_p, where, lead, len(design.entities))])


def _spent(
    rows: TokenRows, log_p: list[Floats], where: dict[int, int], lead: int, n_entities: int
) -> Iterator[list[float]]:
    for row, law in zip(rows.ids, log_p, strict=True):
        bits = [float(-law[p - 1, where[row[p]]] / np.log(2)) for p in range(max(lead, 1), len(row))]
        yield bits if lead else [float(np.log2(n_entities)), *bits]


def _adds_tokens(box: WhiteBox) -> bool:
    """Return whether the tokenizer writes something before an empty text."""
    if box.tokenizer is None:
        raise WhiteBoxError(
            "information emergence writes entities as text: give the model with its tokenizer"
        )
    return bool(box.tokenizer("", verbose=False)["input_ids"])
