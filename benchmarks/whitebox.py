"""What reading and editing activations costs: CPU time against a bare pass, and memory against the number of prompts.

    python -m benchmarks.whitebox [--repeats 120] [--without memory]

An eight-layer Llama of width 256 with random weights, float32, one thread. CPU
time of the process, bare and hooked passes taking turns in one run: the ratio is
the median over turns, with its 95 % interval from resampling the turns.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.interventions import Add, Patch
from harness.local_models.whitebox.sites import Site, TokenRows

LAYERS, WIDTH, VOCABULARY = 8, 256, 1000
TARGET = 1.05
SIZES = ((1, 16, 1.0), (8, 256, 0.1))  # rows, tokens, share of the repeats


def box() -> WhiteBox:
    """Return the model that is measured."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=8,
        num_key_value_heads=8,
        max_position_embeddings=512,
    )
    return WhiteBox(LlamaForCausalLM(config))


def token_rows(n_rows: int, n_tokens: int) -> TokenRows:
    """Draw rows of tokens."""
    drawn = np.random.default_rng(0).integers(0, VOCABULARY, (n_rows, n_tokens))
    return TokenRows(tuple(tuple(row) for row in drawn.tolist()))


def cost(model: WhiteBox, n_rows: int, n_tokens: int, repeats: int) -> None:
    """Print the cost of each operation beside a bare pass over the same rows."""
    import torch

    rows = token_rows(n_rows, n_tokens)
    ids = torch.tensor(rows.ids)
    vector = np.random.default_rng(1).standard_normal(WIDTH).astype(np.float32)
    source = np.random.default_rng(2).standard_normal((n_rows, 1, WIDTH)).astype(np.float32)

    def bare() -> None:
        with torch.inference_mode():
            model.model(input_ids=ids, use_cache=False)

    def edited(intervention: Add | Patch) -> Callable[[], None]:
        def run() -> None:
            with model.applied(intervention):
                bare()

        return run

    def capture(positions: str) -> Callable[[], None]:
        sites = [Site(layer, "output", positions) for layer in range(LAYERS)]
        return lambda: list(model.capture(rows, sites, batch_size=n_rows)).clear()

    def patch_by_row() -> None:
        model.log_probs(
            rows, [1], interventions=[Patch(Site(4, "output", "last"), source)], batch_size=n_rows
        )

    timed = {
        "bare pass": bare,
        "capture, all tokens of 8 layers": capture("all"),
        "capture, last token of 8 layers": capture("last"),
        "add at all tokens": edited(Add(Site(4), vector)),
        "add at the last token": edited(Add(Site(4, "output", "last"), vector)),
        "patch of one token": edited(Patch(Site(4, "output", (n_tokens // 2,)), vector)),
        "patch by row, log p read": patch_by_row,
    }
    taken: dict[str, list[float]] = {name: [] for name in timed}
    for turn in range(repeats + 2):
        for name, run in timed.items():
            start = time.process_time()
            run()
            if turn >= 2:  # the first passes warm up
                taken[name].append(time.process_time() - start)
    base = np.array(taken["bare pass"])
    rng = np.random.default_rng(3)
    print(f"\n{n_rows} x {n_tokens} tokens, {repeats} turns; bare pass {1e3 * np.median(base):.1f} ms CPU")
    for name, seconds in list(taken.items())[1:]:
        ratios = np.array(seconds) / base
        drawn = np.median(rng.choice(ratios, (2000, repeats)), axis=1)
        low, high = np.quantile(drawn, [0.025, 0.975])
        added = 1e3 * float(np.median(np.array(seconds) - base))
        verdict = "" if np.median(ratios) <= TARGET else f"  above {TARGET}"
        print(f"  {name:34} {np.median(ratios):5.3f} [{low:5.3f}, {high:5.3f}], {added:+6.2f} ms{verdict}")


def peak(n_prompts: int) -> None:
    """Print the peak memory of this process after a streamed capture, MB."""
    model = box()
    sites = [Site(layer) for layer in range(LAYERS)]
    total = 0.0
    for part in model.capture(token_rows(n_prompts, 32), sites):
        total += float(part.values.sum())
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f}")


def memory() -> None:
    """Print the peak memory of streamed captures over few and many prompts, each in a process of its own."""
    few, many = (
        float(
            subprocess.run(
                [sys.executable, "-m", "benchmarks.whitebox", "--peak", str(n)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for n in (200, 2000)
    )
    print(
        f"\ncapture streamed, 8 layers x 32 tokens: peak {few:.0f} MB over 200 prompts, {many:.0f} MB over 2000 "
        f"(ratio {many / few:.3f}; kept, they would take {2000 * 8 * 32 * WIDTH * 4 / 2**20:.0f} MB)"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=120)
    parser.add_argument("--without", choices=["memory", "cost"], default=None)
    parser.add_argument("--peak", type=int, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        peak(options.peak)
        return
    if options.without != "cost":
        model = box()
        for n_rows, n_tokens, share in SIZES:
            cost(model, n_rows, n_tokens, max(3, round(share * options.repeats)))
    if options.without != "memory":
        memory()


if __name__ == "__main__":
    main()
