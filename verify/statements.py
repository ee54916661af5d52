"""What the paper states, by name: the groups of the ledger, in its order."""

from __future__ import annotations

CONSTANTS = "CONSTANTS"
META_GRADIENT = "META-GRADIENT"
PATH = "PATH"
GRADIENT_GROWTH = "GRADIENT GROWTH"
SGD_DEVIATION = "SGD DEVIATION"
LINK = "LINK"
SMOOTHNESS = "SMOOTHNESS"
BIAS = "BIAS"
SECOND_MOMENT = "SECOND MOMENT"
META_STEPSIZE_MOMENTS = "META STEPSIZE MOMENTS"
DESCENT = "DESCENT"
THEOREM = "THEOREM"
COMPLEXITY = "COMPLEXITY"
STEPSIZE_CAP = "STEPSIZE CAP"

STATEMENTS = (
    CONSTANTS,
    META_GRADIENT,
    PATH,
    GRADIENT_GROWTH,
    SGD_DEVIATION,
    LINK,
    SMOOTHNESS,
    BIAS,
    SECOND_MOMENT,
    META_STEPSIZE_MOMENTS,
    DESCENT,
    THEOREM,
    COMPLEXITY,
    STEPSIZE_CAP,
)
"""The assumptions first. An own statement belongs to the one that it sharpens; a user's claim may name another."""
