"""CPU time of what the oracles cost: uniform words with their laws, posteriors over automata, whole families.

    python -m benchmarks.families [--length 512] [--sequences 50]

Each number is the least CPU time of several runs in one process, set-up apart.
The table of families draws sequences of each with its defaults, one setting, and
scales to 10,000: symbols with their law, as a request to a model needs them, and
all observers of the family beside them, as its analysis does. A family works
out its observers together, so that two of them (the ideal one and kt) cost no
more than all; their number is in the table. Where a family has no sequence of
that length the next shorter is taken. A machine that is busy otherwise shows in
the last row: additions of eight numbers, in microseconds each.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from harness.errors import SpecError
from harness.prompts.automata import DFA, even_process, minimal_binary_dfas, random_pfa, tomita
from harness.prompts.family import Family
from harness.prompts.observers.automata import dfa_posterior, hmm_filter, stream_posterior
from harness.registry import family_names, load_family


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def cpu_ms(work: Callable[[], object], runs: int = 7) -> float:
    spent = []
    for _ in range(runs):
        started = time.process_time()
        work()
        spent.append(time.process_time() - started)
    return 1e3 * min(spent)


def word_rows() -> None:
    n, table = 10_000, tomita(4)
    dfa = DFA(table.table, table.accepting)
    print(f"| set-up for words of {n} symbols, 4 states | {cpu_ms(lambda: dfa.has_words(n), 1):.1f} |")
    print(f"| one uniform word of {n} symbols | {cpu_ms(lambda: dfa.sample(n, philox(1))):.1f} |")
    word = dfa.sample(n, philox(1))
    print(f"| all its conditionals | {cpu_ms(lambda: dfa.laws(word)):.1f} |")
    print(f"| the exact number of such words | {cpu_ms(lambda: dfa.count(n), 3):.1f} |")
    print(f"| one such word by exact integers | {cpu_ms(lambda: dfa.exact_sample(n, philox(1)), 1):.1f} |")
    pfa_ms = cpu_ms(lambda: random_pfa(8, 10, philox(1)))
    print(f"| one random automaton, 8 states, 18 symbols, minimised | {pfa_ms:.2f} |")


def posterior_rows() -> None:
    print(f"| all minimal automata of up to 4 states | {cpu_ms(lambda: minimal_binary_dfas(4), 1):.1f} |")
    for n in (30, 512):
        word = tomita(4).sample(n, philox(2))
        for max_states in (3, 4):

            def observe() -> object:
                return dfa_posterior(word, max_states=max_states, prior="states")  # noqa: B023

            name = f"up to {max_states} states, {n} symbols"
            print(f"| posterior, {name}, first word of a length | {cpu_ms(observe, 1):.1f} |")
            print(f"| posterior, {name}, each further word | {cpu_ms(observe, 3):.1f} |")
    word = tomita(4).sample(512, philox(2))
    name = "of up to 4 states, 512 symbols"
    for when, runs in (("first", 1), ("each further", 3)):
        spent = cpu_ms(lambda: stream_posterior(word, max_states=4, prior="states"), runs)
        print(f"| posterior over streams {name}, {when} | {spent:.1f} |")
    symbols, _ = even_process().sample(512, philox(3))
    print(
        f"| filter of the even process, 512 symbols | {cpu_ms(lambda: hmm_filter(symbols, even_process())):.1f} |"
    )


def family_rows(length: int, n_sequences: int) -> None:
    for name in family_names():
        family = load_family(name)
        n = next(n for n in range(length, 0, -1) if possible(family, n))
        drawn = [family.sample(n, philox(key)) for key in range(n_sequences)]
        n_observers = max(len(sequence.observers) for sequence in drawn)  # looked at once: set-up
        laws = cpu_ms(lambda: [family.sample(n, philox(key)) for key in range(n_sequences)], 3)  # noqa: B023

        def look() -> object:
            return [len(family.sample(n, philox(key)).observers) for key in range(n_sequences)]  # noqa: B023

        seconds = 10 / n_sequences  # for 10,000, of ms for n_sequences
        shown = name if n == length else f"{name}, {n} symbols"
        print(f"| {shown} | {laws * seconds:.1f} | {cpu_ms(look, 3) * seconds:.1f} | {n_observers} |")
    numbers = np.arange(8.0)
    adding = cpu_ms(lambda: [np.add(numbers, numbers) for _ in range(10_000)])
    print(f"| one addition, us | {adding / 10:.2f} | | |")


def possible(family: Family, length: int) -> bool:
    try:
        family.sample(length, philox(0))
    except SpecError:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--sequences", type=int, default=50)
    options = parser.parse_args()
    print("| work | CPU ms |\n|---|---|")
    word_rows()
    posterior_rows()
    heads = f"10,000 sequences of {options.length} symbols | law, CPU s | law and all observers, CPU s | observers"
    print(f"\n| {heads} |\n|---|---|---|---|")
    family_rows(options.length, options.sequences)


if __name__ == "__main__":
    main()
