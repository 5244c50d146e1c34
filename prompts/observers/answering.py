"""The observer that expects a question to be answered until what follows it says otherwise."""

import numpy as np

from harness.errors import SpecError
from harness.types import Floats, Ints


def answer_or_continue(
    symbols: Ints, goes_on: Floats, *, n_options: int, prior_answer: float, p_answer: float
) -> Floats:
    """Predict symbols after a question: its answer comes, or what stands there goes on.

    The last `n_options` of the m symbols are the options. With prior
    `prior_answer` the question is to be answered: the next symbol is an option
    with probability `p_answer`, each equally, else one of the others, each
    equally. Otherwise no option comes and `goes_on`, shape (length + 1, m),
    predicts. With F = m - n_options,

        p(a | x) = w q(a) + (1 - w) goes_on(a | x)
        w / (1 - w) = prior_answer ((1 - p_answer) / F)^n / ((1 - prior_answer) product of goes_on(x_t | x_<t))

    up to the first option in x; the rows after it are of no use. Which option is
    right is not known here: the probability of all of them does not depend on it.
    """
    for name, value in {"prior_answer": prior_answer, "p_answer": p_answer}.items():
        if not 0 < value < 1:
            raise SpecError(f"observer answer_or_continue: {name}={value!r} must be above 0 and below 1")
    m = goes_on.shape[1]
    n_others = m - n_options
    is_option = np.arange(m) >= n_others
    answers = np.where(is_option, p_answer / n_options, (1 - p_answer) / n_others)
    with np.errstate(divide="ignore"):
        steps = np.log(answers[symbols]) - np.log(goes_on[np.arange(symbols.size), symbols])
    log_odds = np.log(prior_answer / (1 - prior_answer)) + np.concatenate([[0.0], np.cumsum(steps)])
    w = 1 / (1 + np.exp(-np.clip(log_odds, -700, 700)))[:, None]
    return np.asarray(w * answers + (1 - w) * goes_on)
