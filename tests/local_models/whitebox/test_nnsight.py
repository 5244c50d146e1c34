"""Captures, steering and patches equal those of nnsight, where it is installed: a second opinion, not a dependency."""

from functools import reduce

import numpy as np
import pytest

from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.interventions import Add, Patch
from harness.local_models.whitebox.sites import Site
from tests.local_models.whitebox.tiny_models import (
    BUNDLED,
    NAMES,
    TUPLES,
    build,
    rows_of,
    vector,
    vocabulary_of,
)

torch = pytest.importorskip("torch")
nnsight = pytest.importorskip("nnsight", minversion="0.8")
pytestmark = pytest.mark.filterwarnings("ignore")  # of nnsight's own making
LAYER = 1


@pytest.mark.parametrize("name", [*NAMES, *TUPLES, BUNDLED])
def test_captures_steering_and_patches_equal_those_of_nnsight(name: str) -> None:
    box = WhiteBox(build(name))
    other = nnsight.NNsight(build(name))
    blocks = box.anatomy.block_names[LAYER].split(".")[:-1]
    block = reduce(getattr, blocks, other)[LAYER]
    rows = rows_of(7, vocabulary=vocabulary_of(box))
    ids, v = torch.tensor(rows.ids), vector(box.width)
    added = torch.tensor(0.8 * v)
    source = torch.tensor(vector(box.width, seed=9))
    as_tuple = name in TUPLES

    with torch.inference_mode():
        with other.trace(input_ids=ids):
            output = block.output
            captured = (output[0] if as_tuple else output).clone().save()
        with other.trace(input_ids=ids):
            if as_tuple:
                block.output = (block.output[0] + added, *block.output[1:])
            else:
                block.output = block.output + added
            steered = other.output.logits.save()
        with other.trace(input_ids=ids):
            if as_tuple:
                block.output[0][:, 3] = source
            else:
                block.output[:, 3] = source
            patched = other.output.logits.save()

    np.testing.assert_allclose(box.captured(rows, [Site(LAYER)])[:, 0], captured.numpy(), atol=1e-6)
    with torch.inference_mode(), box.applied(Add(Site(LAYER), v, 0.8)):
        np.testing.assert_allclose(box.model(input_ids=ids).logits.numpy(), steered.numpy(), atol=1e-6)
    with torch.inference_mode(), box.applied(Patch(Site(LAYER, "output", (3,)), source.numpy())):
        np.testing.assert_allclose(box.model(input_ids=ids).logits.numpy(), patched.numpy(), atol=1e-6)
