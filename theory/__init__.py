"""The convergence theory of multi-step MAML (Ji, Yang, Liang, 2022), executable.

The paper is one object, made of `Constants` (of the assumptions) and a `Schedule` (what a run chooses):

>>> from theory import Constants, Paper, Schedule, recommended_stepsize
>>> c = Constants(L=2.0, rho=1.5, sigma=0.7, sigma_g=0.9, sigma_H=0.4, b=0.0, b_sq=0.0)
>>> s = Schedule(N=5, alpha=recommended_stepsize(c, 5), C_beta=1.0, K=1000, Delta=3.0)
>>> p = Paper(c, s)
>>> round(p.exact.bound, 4)
0.1273

Its symbols are attributes (`p.C_L`), its bounds methods (`p.path(2, distance)`), and a wrong paper is one with a symbol
changed (`Paper(c, s, C_1=1)`). There is a module for each section: `growth`, `lemmas`, `smoothness`, `estimator`,
`meta_stepsize`, `convergence`, and the own results, `sharper`.
"""

from theory.algorithms import Trajectory, run
from theory.complexity import steps_to_accuracy
from theory.constants import Constants, Schedule
from theory.convergence import Guarantee, theorem_exact, theorem_finite_sum, theorem_resampling
from theory.growth import recommended_stepsize, stepsize_cap
from theory.loss import Loss
from theory.maml import adapt, mean_over_tasks, meta_gradient
from theory.paper import Paper
from theory.planner import plan
from theory.request import Request
from theory.sharper import larger_cap
from theory.validation import PremiseError

__all__ = [
    "Constants",
    "Guarantee",
    "Loss",
    "Paper",
    "PremiseError",
    "Request",
    "Schedule",
    "Trajectory",
    "adapt",
    "larger_cap",
    "mean_over_tasks",
    "meta_gradient",
    "plan",
    "recommended_stepsize",
    "run",
    "steps_to_accuracy",
    "stepsize_cap",
    "theorem_exact",
    "theorem_finite_sum",
    "theorem_resampling",
]
