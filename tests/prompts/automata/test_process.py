import re
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from scipy import stats

from harness.errors import SpecError
from harness.prompts.automata import (
    Process,
    even_process,
    golden_mean,
    mess3,
    rrxor,
    simple_nonunifilar,
    z1r,
)

RARE = 1e-6  # odds that a correct process fails a test of its law, were the seed drawn at random
PROCESSES = {
    "golden mean": golden_mean(),
    "even": even_process(),
    "mess3": mess3(0.05, 0.85),
    "rrxor": rrxor(),
    "z1r": z1r(),
    "sns": simple_nonunifilar(),
}
every_process = pytest.mark.parametrize("name", PROCESSES)


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def probability(process: Process, word: tuple[int, ...]) -> float:
    """P(word), by summing over all paths of states."""
    n = range(process.n_states)
    return float(
        sum(
            process.stationary[path[0]]
            * np.prod([process.T[a, i, j] for a, i, j in zip(word, path, path[1:], strict=False)])
            for path in product(n, repeat=len(word) + 1)
        )
    )


@pytest.mark.parametrize(
    ("name", "bits"), [("golden mean", 2 / 3), ("even", 2 / 3), ("z1r", 1 / 3), ("rrxor", 2 / 3)]
)
def test_unifilar_processes_have_their_entropy_rate(name: str, bits: float) -> None:
    assert PROCESSES[name].entropy_rate() == pytest.approx(bits, rel=1e-12)


@pytest.mark.parametrize(
    ("process", "low", "high", "length"),
    [
        (mess3(0.15, 0.6), 1.570933, 1.570935, 10),
        (mess3(0.05, 0.85), 1.144717, 1.144719, 12),
        (simple_nonunifilar(), 0.677866, 0.677868, 16),
        (even_process(), 2 / 3 - 1e-12, 0.669, 16),
    ],
)
def test_entropy_bounds_close_in(process: Process, low: float, high: float, length: int) -> None:
    bounds = [process.entropy_bounds(n) for n in (1, 2, 5, length)]
    assert low <= bounds[-1][0] <= bounds[-1][1] <= high
    below, above = np.array(bounds).T
    assert (np.diff(below) > -1e-12).all()
    assert (np.diff(above) < 1e-12).all()


def test_rrxor_synchronises_slowly() -> None:
    assert rrxor().myopic_entropies(14)[-1] == pytest.approx(0.697, abs=5e-4)


@every_process
def test_myopic_entropies_are_differences_of_block_entropies(name: str) -> None:
    process = PROCESSES[name]
    blocks = [0.0]
    for length in (1, 2, 3, 4):
        p = np.array(
            [probability(process, word) for word in product(range(process.n_symbols), repeat=length)]
        )
        assert p.sum() == pytest.approx(1)
        blocks.append(float(-(p[p > 0] * np.log2(p[p > 0])).sum()))
    np.testing.assert_allclose(process.myopic_entropies(4), np.diff(blocks), rtol=1e-10)


@every_process
def test_the_stationary_law_stays(name: str) -> None:
    process = PROCESSES[name]
    np.testing.assert_allclose(process.stationary @ process.T.sum(axis=0), process.stationary, rtol=1e-13)
    assert process.stationary.sum() == pytest.approx(1, rel=1e-14)


@every_process
def test_words_occur_as_often_as_they_should(name: str) -> None:
    process, rng, n = PROCESSES[name], philox(1), 4000
    words = list(product(range(process.n_symbols), repeat=4))
    p = np.array([probability(process, word) for word in words])
    drawn = [words.index(tuple(process.sample(4, rng)[0].tolist())) for _ in range(n)]
    seen = np.bincount(drawn, minlength=len(words))
    assert not seen[p == 0].any()
    assert stats.chisquare(seen[p > 0], n * p[p > 0]).pvalue > RARE


@every_process
def test_states_and_symbols_are_edges_and_longer_draws_start_with_shorter(name: str) -> None:
    process = PROCESSES[name]
    symbols, states = process.sample(200, philox(2))
    assert (process.T[symbols, states[:-1], states[1:]] > 0).all()
    short, before = process.sample(50, philox(2))
    np.testing.assert_array_equal(symbols[:50], short)
    np.testing.assert_array_equal(states[:51], before)


@pytest.mark.parametrize(
    ("draw", "never"),
    [(golden_mean, "00"), (even_process, "0(11)*10"), (z1r, "0000|1111|000.00"), (rrxor, "$^")],
)
def test_what_a_process_forbids_never_occurs(draw: Callable[[], Process], never: str) -> None:
    text = "".join(map(str, draw().sample(3000, philox(3))[0]))
    assert re.search(never, text) is None


def test_rrxor_repeats_its_rule_at_one_phase() -> None:
    symbols = rrxor().sample(3000, philox(4))[0]
    holds = [
        all(symbols[i] ^ symbols[i + 1] == symbols[i + 2] for i in range(phase, 2990, 3))
        for phase in range(3)
    ]
    assert sorted(holds) == [False, False, True]


def test_unifilar_processes_are_told_apart() -> None:
    assert [name for name, process in PROCESSES.items() if not process.unifilar] == ["mess3", "sns"]


def test_what_is_no_process_is_refused() -> None:
    with pytest.raises(SpecError, match=r"sums are \[1\.0, 0\.5\]"):
        Process(np.array([[[1.0, 0.0], [0.0, 0.5]]]))
    with pytest.raises(SpecError, match=r"not \(2, 3\)"):
        Process(np.ones((2, 3)))
    with pytest.raises(SpecError, match="reached from every state"):
        Process(np.array([[[1.0, 0.0], [0.5, 0.5]]]))
    with pytest.raises(SpecError, match="reached from every state"):
        Process(np.eye(2)[None])
    with pytest.raises(SpecError, match=r"x=0\.7"):
        mess3(0.7, 0.5)
    with pytest.raises(SpecError, match="use entropy_bounds"):
        simple_nonunifilar().entropy_rate()
    with pytest.raises(SpecError, match="length=30"):
        golden_mean().entropy_bounds(30)
    with pytest.raises(SpecError, match="length=-1"):
        golden_mean().sample(-1, philox(1))
