"""What observers and families cost: CPU a sequence, symbols a second of context-tree weighting, 10,000 sequences.

python -m benchmarks.observers
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from harness.prompts.observers import kt, markov, period
from harness.prompts.observers.changes import change_point
from harness.prompts.observers.copying import induction_copy, lempel_ziv
from harness.prompts.observers.ctw import ctw, ctw_batch
from harness.prompts.observers.ngram import backoff, ngram, witten_bell
from harness.prompts.observers.window import alternation, discounted, window_average
from harness.registry import load_family
from harness.types import Floats, Ints

LENGTH = 512
N_SEQUENCES = 10_000
N_CORES = 2
FAMILIES = ("bernoulli", "markov", "periodic")  # each with its ideal observer and kt
OBSERVERS: Mapping[str, Callable[[Ints], Floats]] = {
    "kt": lambda x: kt(x, 2),
    "markov, order 2": lambda x: markov(x, 2, order=2, alpha=1.0),
    "period, to 16": lambda x: period(x, 2, max_period=16, prior_random=0.5, distinct=False),
    "ngram, k 5": lambda x: ngram(x, 2, k=5),
    "backoff, k 5": lambda x: backoff(x, 2, k=5),
    "witten_bell, k 5": lambda x: witten_bell(x, 2, k=5),
    "ctw, depth 8": lambda x: ctw(x, 2, depth=8),
    "window_average, width 5": lambda x: window_average(x, 2, width=5),
    "discounted, gamma .9": lambda x: discounted(x, 2, 0.9),
    "alternation": lambda x: alternation(x, 2),
    "change_point, hazard .02": lambda x: change_point(x, 2, hazard=0.02),
    "induction_copy": lambda x: induction_copy(x, 2),
    "lempel_ziv": lambda x: lempel_ziv(x, 2),
}


def main() -> None:
    rng = np.random.default_rng(1)
    print(f"| observer of {LENGTH} binary symbols | CPU ms |\n|---|---|")
    for name, observer in OBSERVERS.items():
        words = rng.integers(2, size=(20, LENGTH))
        observer(words[0])
        started = time.process_time()
        for word in words:
            observer(word)
        print(f"| {name} | {1e3 * (time.process_time() - started) / len(words):.2f} |")

    print("\n| ctw_batch, depth 8 | symbols/s of CPU | symbols/s of wall clock |\n|---|---|---|")
    for n_sequences, n_symbols in [(1, 2), (64, 2), (2000, 2), (500, 4)]:
        batch = rng.integers(n_symbols, size=(n_sequences, LENGTH))
        cpu, wall = time.process_time(), time.perf_counter()
        ctw_batch(batch, n_symbols, depth=8)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        print(
            f"| {n_sequences} sequences, {n_symbols} symbols | {batch.size / cpu:,.0f} | {batch.size / wall:,.0f} |"
        )

    print(
        f"\n| {N_SEQUENCES:,} sequences of {LENGTH} on {N_CORES} cores | CPU s | wall-clock s |\n|---|---|---|"
    )
    with ProcessPoolExecutor(N_CORES) as pool:
        for family in FAMILIES:
            started = time.perf_counter()
            cpu = sum(pool.map(draw, [family] * 20, range(20)))
            print(f"| {family} | {cpu:.1f} | {time.perf_counter() - started:.1f} |")


def draw(family: str, part: int) -> float:
    """Draw one twentieth of the sequences and return the CPU seconds it took."""
    opened = load_family(family)
    started = time.process_time()
    for key in range(part * N_SEQUENCES // 20, (part + 1) * N_SEQUENCES // 20):
        opened.sample(LENGTH, np.random.Generator(np.random.Philox(key=key)))
    return time.process_time() - started


if __name__ == "__main__":
    main()
