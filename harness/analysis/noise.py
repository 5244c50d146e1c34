"""How much the calls at one level may be correlated, and which correlations can be told apart."""

from dataclasses import dataclass

import numpy as np

from harness.types import Floats

ICC = (0.0, 0.003, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32)  # grid of correlations; 0.1 is high but seen
ICC_PRIOR = (0.25, 0.2, 0.15, 0.12, 0.12, 0.08, 0.05, 0.03)
ALIKE = 1.3  # ratio of variances below which two correlations are one


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """The settings of the correlation that are told apart at the trials of a curve."""

    phi: Floats  # (n_settings, n_bins), variance over the binomial one
    log_prior: Floats  # (n_settings,)


def noise_settings(level_n: Floats, least_icc: float) -> Noise:
    """Return phi of each correlation, those that are alike at these trials joined.

    `level_n` (n_bins,) is the trials of the level that a trial belongs to, on
    average; no correlation is taken to be below `least_icc`.
    """
    phi = 1 + (level_n - 1) * np.maximum(ICC, least_icc)[:, None]
    apart = phi[:, int(np.argmax(level_n))].tolist()  # where correlations differ most
    share = np.asarray(ICC_PRIOR)
    group = [0]
    first = apart[0]
    for one in apart[1:]:
        group.append(group[-1] + (one / first >= ALIKE))
        first = one if group[-1] > group[-2] else first
    member = (np.array(group) == np.arange(group[-1] + 1)[:, None]) * share
    prior = member.sum(axis=1)
    return Noise(member @ phi / prior[:, None], np.log(prior))
