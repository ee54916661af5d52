"""One inner step, as it is printed elsewhere."""

from __future__ import annotations

import numpy as np

from theory.extended import Number, plain
from theory.neighbours.anil import ANIL
from theory.symbols import bound
from theory.validation import PremiseError


class OneStep(ANIL):
    """What others print for `N = 1`."""

    @bound
    def L_w_one_step(p, mean_gradient_norm: Number) -> Number:
        """`4L + 2αρ E_i‖∇l_i(w)‖`, smoothness of the meta objective at `N = 1` and `αL ≤ 1`; else PremiseError.

        Source: Fallah, Mokhtari, Ozdaglar (2020).
        """
        if np.any(p.alpha * p.L > 1) or np.any(np.not_equal(plain(p.N), 1)):
            raise PremiseError("the statement needs N = 1 and alpha*L <= 1", "N is not 1, or αL is above 1")
        return 4 * p.L + 2 * p.alpha * p.rho * mean_gradient_norm
