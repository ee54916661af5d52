"""What the paper states, by name, and what its neighbours are: the groups of the ledger, in its order."""

from __future__ import annotations

from collections.abc import Iterable

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

FIRST_ORDER = "FIRST-ORDER MAML"
HESSIAN_FREE = "HESSIAN-FREE MAML"
REPTILE = "REPTILE"
ANIL = "ANIL"
IMAML = "IMAML"
ONE_STEP = "ONE INNER STEP"
MORE_STEPS = "MORE STEPS AT TEST TIME"

NEIGHBOURS = (FIRST_ORDER, HESSIAN_FREE, REPTILE, ANIL, IMAML, ONE_STEP, MORE_STEPS)
"""The second part of the ledger: methods that are run in place of exact MAML, and other uses of what it finds."""

NEIGHBOURS_TITLE = "NEIGHBOURS: what is run in place of exact MAML"


def first_neighbour(statements: Iterable[str]) -> str:
    """Where among `statements`, in the order of the ledger, its second part begins; "" if it is not there."""
    return next((name for name in statements if name in NEIGHBOURS), "")
