"""What users of MAML run instead of it: each method with its direction and its bounds, one a file.

A direction has the arguments of `theory.maml.meta_gradient`, so that `theory.run(…, direction=first_order)` runs it.
All bounds are own, from the assumptions of the paper; each file says whose the method is.
"""

from theory.neighbours.first_order import first_order
from theory.neighbours.hessian_free import hessian_free
from theory.neighbours.more_steps import MoreSteps
from theory.neighbours.reptile import reptile


class Neighbours(MoreSteps):
    """All symbols and bounds of the neighbours."""


__all__ = ["Neighbours", "first_order", "hessian_free", "reptile"]
