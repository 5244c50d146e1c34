"""The local adapter and the recipe on a CUDA device: agreement with the CPU, speed, and other training seeds.

    python -m benchmarks.cuda --seeds 0 1 2 3

Prints one table each. Needs a CUDA device and the extra `local`; nothing here runs in the tests.
"""

import argparse
import asyncio
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import torch

from harness.adapters.local import read
from harness.local_models.adapter import LocalModel, open_local
from harness.local_models.recipe_names import load_recipe
from harness.local_models.training import train
from harness.prompts.families import periodic
from harness.prompts.family import Family
from harness.prompts.rendering import render
from harness.types import Floats, Reply, Request, Response


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seeds", type=int, nargs="*", default=[], help="training seeds to run on the device"
    )
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--device", default="cuda")
    arguments = parser.parse_args()
    name = torch.cuda.get_device_name() if arguments.device == "cuda" else arguments.device
    print(f"device: {name}, torch {torch.__version__}\n")
    compare_with_cpu(arguments.device)
    if arguments.seeds:
        train_seeds(arguments.seeds, arguments.steps, arguments.device)


def requests(count: int) -> list[Request]:
    family = Family.from_module("periodic", periodic)
    made = []
    for seed in range(count):
        rng = np.random.Generator(np.random.Philox(key=seed))
        sequence = family.sample(257, rng, period=2 + seed % 7)
        prompt = render(sequence)
        made.append(Request("prefixes", prompt, tuple(range(257))))
    return made


def scored(model: LocalModel, asked: list[Request]) -> tuple[Floats, float]:
    asyncio.run(model.send(asked[:4]))  # warm up
    started = time.perf_counter()
    replies = asyncio.run(model.send(asked))
    seconds = time.perf_counter() - started
    tables = []
    for request, reply in zip(asked, replies, strict=True):
        assert isinstance(reply, Reply), reply
        response = read(request, reply.raw)
        assert isinstance(response, Response)
        assert response.logprob is not None
        targets = np.asarray(request.prompt.symbols)[list(request.context_lengths)]
        tables.append(response.logprob[np.arange(len(targets)), targets])
    return np.stack(tables), seconds


def compare_with_cpu(device: str, count: int = 256) -> None:
    asked = requests(count)
    exact, cpu_seconds = scored(open_local("icl-mixture", device="cpu"), asked)
    print("| device | dtype | batch | max abs d log p(target), nat | s for 256 sequences x 257 lengths |")
    print("|---|---|---|---|---|")
    print(f"| cpu | float32 | | 0 (reference) | {cpu_seconds:.2f} |")
    for dtype in ("float32", "bfloat16", "float16"):
        model = open_local("icl-mixture", device=device, dtype=dtype)
        table, seconds = scored(model, asked)
        gap = float(np.max(np.abs(table - exact)))
        print(f"| {device} | {dtype} | {model.batch_size} | {gap:.2e} | {seconds:.2f} |")


def train_one(seed: int, steps: int | None, device: str) -> tuple[int, float, float, str]:
    folder = Path(mkdtemp()) / f"seed-{seed}"
    result = train(load_recipe("icl-mixture"), folder, seed=seed, steps=steps, device=device)
    card = (folder / "README.md").read_text(encoding="utf-8")
    return seed, float(np.mean(result.losses[-100:])), result.seconds, card


def train_seeds(seeds: list[int], steps: int | None, device: str) -> None:
    print("\n| training seed | loss, mean of the last 100 steps | s |")
    print("|---|---|---|")
    with ProcessPoolExecutor(len(seeds), mp_context=get_context("spawn")) as pool:
        done = list(pool.map(train_one, seeds, [steps] * len(seeds), [device] * len(seeds)))
    for seed, loss, seconds, _ in done:
        print(f"| {seed} | {loss:.4f} | {seconds:.0f} |")
    for seed, _, _, card in done:
        print(f"\n## seed {seed}: what the card says it does\n")
        print(card[card.find("## ") :])


if __name__ == "__main__":
    main()
