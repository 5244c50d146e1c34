"""Early against late layers, finetuned: half-learnt checkpoints of `bitwise`, one block tuned, the rest frozen."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.local_models.checkpoints import series_names
from harness.local_models.finetuning import Finetuning, finetune
from harness.local_models.loading import load_checkpoint
from harness.local_models.recipes import bitwise
from harness.local_models.training import predictor
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.decodability import knn
from harness.local_models.whitebox.sites import Site, TokenRows
from harness.types import Floats

ARMS: dict[str, tuple[int, ...]] = {
    "first layer": (0,),
    "middle layer": (1,),
    "last layer": (2,),
    "all layers": (0, 1, 2),
}
STEPS, RATE = 500, 4e-3  # the rate is that of the recipe
_TUNING_SEED = 100  # plus the seed of the first training, so that the sequences are others
_READ = 2000  # sequences scored
_DECODED = 600
_LAST_QUERY = 2 * bitwise.EXAMPLES - 1  # token, BOS being 0


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What one model does and holds; the same sequences for all."""

    p_right: Floats  # (n_sequences,), mean over the examples of a sequence
    decoded: tuple[float, ...]  # leave-one-out accuracy of the operation after each block
    chance_high: float  # 95 % of the decoder's accuracies on shuffled labels, the largest of the blocks


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One first training, its half-learnt checkpoint, and what finetuning made of it."""

    seed: int
    step: int
    before: Read
    after: dict[str, Read]  # by arm
    learning: int  # parameters of one block

    def gain(self, arm: str) -> Floats:
        """Return the rise of each sequence's mean p(right bit)."""
        return np.asarray(self.after[arm].p_right - self.before.p_right)


def tuned_series(series: Path, runs: Path, seed: int) -> Series:
    """Finetune what is not yet finetuned of one series, and read everything."""
    step = half_learnt(series)
    source = series / f"step-{step:06d}"
    after = {}
    for arm, layers in ARMS.items():
        out = runs / f"bitwise-seed{seed}-layers-{'-'.join(map(str, layers))}"
        if not (out / "training.json").is_file():
            tuning = Finetuning(layers=layers, steps=STEPS, learning_rate=RATE)
            finetune(bitwise.RECIPE, source, out, tuning=tuning, seed=_TUNING_SEED + seed)
        after[arm] = read(out)
        print(f"{out.name}: {np.mean(after[arm].p_right):.3f}", flush=True)
    block = json.loads((out / "training.json").read_text(encoding="utf-8"))["learning_parameters"]
    return Series(seed, step, read(source), after, block // len(layers))


def half_learnt(series: Path) -> int:
    """Return the last step up to which p(right bit) was at most half-way from chance to exact Bayes."""
    target = 0.5 * (0.5 + float(bitwise.bayes_curves()[0].mean()))
    sequences, _ = bitwise.draw(np.random.default_rng(7), 500)
    before = 0
    for name in series_names(str(series)):
        p = bitwise.p_right(predictor(load_checkpoint(name).model), sequences)
        if p.mean() > target:
            return before
        before = int(name.rpartition("@")[2])
    raise SystemExit(f"{series}: never learnt half of it")


def read(directory: Path) -> Read:
    """Score and decode one checkpoint on fresh sequences."""
    loaded = load_checkpoint(str(directory))
    rng = np.random.default_rng(2024)
    sequences, operation = bitwise.draw(rng, _READ)
    p = bitwise.p_right(predictor(loaded.model), sequences)
    box = WhiteBox(loaded.model, loaded.tokenizer)
    tokens = bitwise.tokens(sequences[:_DECODED])[:, : _LAST_QUERY + 1]
    rows = TokenRows(tuple(tuple(int(t) for t in row) for row in tokens))
    sites = [Site(layer, positions="last") for layer in range(box.n_layers)]
    found = box.captured(rows, sites, batch_size=128)[:, :, 0]
    of_layers = [
        knn(found[:, k], operation[:_DECODED], np.arange(_DECODED), np.random.default_rng(k), shuffles=100)
        for k in range(box.n_layers)
    ]
    return Read(p.mean(axis=1), tuple(d.accuracy for d in of_layers), max(d.chance_high for d in of_layers))
