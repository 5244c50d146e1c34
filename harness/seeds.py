"""Random streams that depend on what is generated, never on when or by which version.

A stream is keyed by a hash of what it is for. Philox takes the key as it is,
and only raw generator output is used by the families, so a sequence survives
changes of numpy's distributions.
"""

import hashlib
import json
from collections.abc import Mapping

import numpy as np

from harness.types import ParamValue


def stream(*key: object) -> np.random.Generator:
    """Return the random stream of this key: any JSON-representable values, in order."""
    digest = hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).digest()
    words = np.frombuffer(digest[:16], dtype="<u8")
    return np.random.Generator(np.random.Philox(key=words))


def sequence_stream(
    suite_seed: int, family: str, params: Mapping[str, ParamValue], replicate: int, *extra: object
) -> np.random.Generator:
    """Return the stream of one sequence of a suite.

    `params` must hold every parameter, defaults included, so that naming a
    default does not change the sequence. `extra` separates further streams of
    the same sequence, such as a control or a fresh draw at one length.
    """
    return stream(suite_seed, family, sorted(params.items()), replicate, *extra)
