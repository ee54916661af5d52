"""What users of MAML run instead of it: each method with its direction and its bounds, one a file.

A direction has the arguments of `theory.maml.meta_gradient`, so that `theory.run(…, direction=reptile)` runs it. All
bounds are own, from the assumptions of the paper, except in `one_step`; each file says whose the method is.
"""

from theory.convergence import Guarantee
from theory.extended import Number
from theory.neighbours.inexact import Inexact
from theory.neighbours.one_step import OneStep


class Neighbours(OneStep):
    """All symbols and bounds of the neighbours."""

    def inexact(p, phi: Number) -> Guarantee:
        """What the INEXACT THEOREM promises along directions within `φ E_i‖∇l_i‖` of the meta-gradient.

        Raises PremiseError where it does not speak.
        """
        return Inexact(p.constants, p.schedule, **{"phi": phi, **p.changes}).guarantee


__all__ = ["Neighbours"]
