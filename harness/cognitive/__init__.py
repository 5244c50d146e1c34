"""Cognitive models of what a model outputs, and which observers it behaves like: numpy and scipy only, no files.

`generated`, `counted` and `predicted` bring output into the form that models
are fitted to; `fit` finds a model's parameters by the likelihood of whole sequences and
`compare` ranks models by held-out log-loss and BIC. `gamblers_fallacy` and
`reversals` look for its signature without a model. `mixture_weights` explains
predictions as a mixture of observers at each context length, and
`leader_switch` says where another one takes the lead.
"""

from harness.cognitive.behaviour import Behaviour, counted, generated, predicted
from harness.cognitive.coins import Alternation, DiscountedFilter, WindowAverage
from harness.cognitive.comparison import Comparison, Score, compare
from harness.cognitive.concepts import RepeatMixture
from harness.cognitive.fallacy import GamblersFallacy, Reversals, gamblers_fallacy, reversals
from harness.cognitive.fitting import Fit, fit, simulate
from harness.cognitive.markov import Markov, bernoulli
from harness.cognitive.mixture import Mixture, mixture_weights
from harness.cognitive.model import CognitiveModel
from harness.cognitive.named import model_names, named_models
from harness.cognitive.parameters import Parameter
from harness.cognitive.switching import Switch, leader_switch

__all__ = [
    "Alternation",
    "Behaviour",
    "CognitiveModel",
    "Comparison",
    "DiscountedFilter",
    "Fit",
    "GamblersFallacy",
    "Markov",
    "Mixture",
    "Parameter",
    "RepeatMixture",
    "Reversals",
    "Score",
    "Switch",
    "WindowAverage",
    "bernoulli",
    "compare",
    "counted",
    "fit",
    "gamblers_fallacy",
    "generated",
    "leader_switch",
    "mixture_weights",
    "model_names",
    "named_models",
    "predicted",
    "reversals",
    "simulate",
]
