"""Controls: the same sequence with one thing destroyed, to see what a transition is made of.

    control                keeps                   destroys             transition  baseline
    shuffle                counts of symbols       order                gone        kt
    matched_random         frequencies of symbols  order                gone        kt
    kgram_shuffle?k=3      counts of k-grams       what is longer       gone        ngram3
    block_shuffle?width=8  order within blocks     order of blocks      gone        backoff8
    permute_symbols        structure               identity of symbols  kept        the family's
    label_flip?at=20       inputs                  mapping to labels    kept        the family's
    truncate?last=16       the last symbols        history              kept        the family's
    distractor?length=10   evidence                its place            moved       the family's
    swap?at=20             family                  concept              moved       the family's

The family's ideal observer is told of the control (which names are exchanged,
where evidence begins), so that it stays what Bayes' rule gives. Where no
transition may remain, the baseline is an observer that knows what the control
keeps and nothing else.
"""

from harness.prompts.controls.apply import apply_control
from harness.prompts.controls.control import Control, Expectation, control_names, parse_control

__all__ = ["Control", "Expectation", "apply_control", "control_names", "parse_control"]
