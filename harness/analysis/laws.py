"""Laws of transitions: of one curve, over the strength of steering, and over sizes."""

from harness.analysis.laws_belief import belief_law
from harness.analysis.laws_scaling import scaling_law
from harness.analysis.laws_steering import held_out, steering_law

__all__ = ["belief_law", "held_out", "scaling_law", "steering_law"]
