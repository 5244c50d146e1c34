"""Information emergence of the bundled model and of an untrained one like it, on sequences of distinct letters.

python -m benchmarks.emergence [shots] [entities] [n]
"""

import sys
import time

import torch

from harness.local_models.loading import load_checkpoint
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.emergence.measuring import NETWORKS, Asked, emergence_terms, untrained

SEED = 7
LETTERS = "abcdefghijklmnop"  # every one a token of the model, which has no comma: the separator is a digit
SEPARATOR = "0"
ESTIMATED = ("plug_in", "held_out", "faithful")
COLUMNS = (
    "plug_in",
    "coarse",
    "held_out",
    "smile",
    "info_nce",
    "faithful",
    "micro_faithful",
    "cross_entropy",
)


def main(shots: int = 3, n_entities: int = 16, n: int = 3000) -> None:
    torch.set_num_threads(1)
    loaded = load_checkpoint("icl-mixture")
    boxes = {
        "trained": WhiteBox(loaded.model, loaded.tokenizer),
        "untrained": WhiteBox(untrained(loaded.model, SEED), loaded.tokenizer),
    }
    print(f"{shots} of {n_entities} letters, each followed by {SEPARATOR!r}; n = {n}; bits; layers 0-based\n")
    print(
        "| layer | network | t | prefixes | states in, out | closed form | " + " | ".join(COLUMNS) + " | E |"
    )
    print("|---" * (7 + len(COLUMNS)) + "|")
    began = time.process_time()
    for layer in range(boxes["trained"].n_layers):
        for network in NETWORKS:
            rows = []
            for token in range(2 * shots):
                asked = Asked(
                    layer=layer,
                    token=token,
                    network=network,
                    entities=tuple(LETTERS[:n_entities]),
                    separator=SEPARATOR,
                    shots=shots,
                    n=n,
                    # critics, which cost most, where the staircase has its steps
                    estimators=ESTIMATED if token % 2 == 0 else ESTIMATED[:1],
                )
                rows.append(emergence_terms(boxes[network], asked, SEED))
            micro = sum(row["micro"] for row in rows) / len(rows)
            for token, row in enumerate(rows):
                print(
                    f"| {layer} | {network} | {token} | {row['n_prefixes']:.0f} | {row['distinct_in']:.0f}, "
                    f"{row['distinct_out']:.0f} | {row['closed_form']:.2f} | "
                    + " | ".join(f"{row[name]:.2f}" for name in COLUMNS)
                    + f" | {row['plug_in'] - micro:.2f} |",
                    flush=True,
                )
    print(f"\n{time.process_time() - began:.0f} s of CPU on one core")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
