"""What users of MAML run instead of it: each method with its direction and its bounds, one a file.

A direction has the arguments of `theory.maml.meta_gradient`, so that `theory.run(…, direction=reptile)` runs it. All
bounds are own, from the assumptions of the paper; each file says whose the method is.
"""

from theory.neighbours.more_steps import MoreSteps


class Neighbours(MoreSteps):
    """All symbols and bounds of the neighbours."""


__all__ = ["Neighbours"]
