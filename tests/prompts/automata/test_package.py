import copy
import doctest
import pickle

import numpy as np

from harness.prompts import automata
from harness.prompts.automata import tomita


def test_the_example_of_the_package_is_real() -> None:
    failed, run = doctest.testmod(automata)
    assert (failed, run) == (0, 4)


def test_automata_can_be_sent_to_another_process() -> None:
    dfa = tomita(4)
    assert dfa.has_words(20)
    for other in (copy.deepcopy(dfa), pickle.loads(pickle.dumps(dfa))):
        assert other == dfa
        np.testing.assert_array_equal(other.laws([1] * 20), dfa.laws([1] * 20))
