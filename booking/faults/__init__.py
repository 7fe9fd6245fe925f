"""Faults of a rehearsal: their kinds, the plan that a seed gives, and the one place that says whether one strikes."""
