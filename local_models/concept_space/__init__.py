"""The concept-space experiment (Park et al. 2024): coloured circles, a held-out combination, and what elicits it."""
