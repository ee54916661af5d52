"""The convergence theory of multi-step MAML (Ji, Yang, Liang, 2022), executable.

Bounds are functions of `Constants` (of the assumptions) and a `Schedule` (what a run chooses):

>>> from theory import Constants, Schedule, recommended_stepsize, theorem_exact
>>> c = Constants(L=2.0, rho=1.5, sigma=0.7, sigma_g=0.9, sigma_H=0.4, b=0.0, b_sq=0.0)
>>> s = Schedule(N=5, alpha=recommended_stepsize(c, 5), C_beta=1.0, K=1000, Delta=3.0)
>>> round(float(theorem_exact(c, s).bound), 4)
0.1273

(`growth` and `meta_stepsize` are imported from the modules of these names; `theory.plan` is the function.)
"""

from theory.algorithms import Algorithm, Trajectory, run
from theory.complexity import OracleCalls, oracle_calls, step_oracle_calls, steps_to_accuracy, theorem
from theory.constants import Constants, Real, Schedule
from theory.convergence import (
    A,
    G,
    Guarantee,
    descent_bound,
    finite_sum_c1,
    finite_sum_noise,
    resampling_c1,
    resampling_noise,
    root_bound,
    theorem_exact,
    theorem_finite_sum,
    theorem_resampling,
)
from theory.estimator import (
    E_1,
    E_2,
    A_sq1,
    A_sq2,
    C_sq1,
    C_sq2,
    V,
    bias_bound,
    finite_sum_second_moment_bound,
    second_moment_bound,
    task_bias_bound,
    task_second_moment_bound,
)
from theory.growth import (
    excess_sum,
    growth_excess,
    q,
    recommended_stepsize,
    require_cap,
    stepsize_cap,
    stepsize_cap_limit,
    within_cap,
)
from theory.lemmas import (
    C_1,
    C_2,
    deviation_bound,
    deviation_squared_bound,
    displacement_bound,
    gradient_growth_bound,
    link_bound,
    link_tasks_bound,
    mismatch,
    path_bound,
)
from theory.loss import Loss
from theory.maml import adapt, mean_over_tasks, meta_gradient, meta_objective, pull_back, stochastic_meta_gradient
from theory.meta_stepsize import (
    inverse_moment_bound,
    inverse_square_moment_bound,
    least_B_prime,
    least_D_L,
    moment_kappa,
    moment_lambda,
)
from theory.planner import Plan, plan
from theory.request import Request
from theory.sharper import (
    deviation_mean_bound,
    inverse_moment_sharper,
    kappa_sharper,
    larger_cap,
    link_sharper,
    mu,
    task_bias_one_step,
    task_bias_sharper,
    task_second_moment_sharper,
    theorem_exact_sharper,
)
from theory.smoothness import C_L, C_b, meta_smoothness, smoothness_floor, task_smoothness
from theory.validation import PremiseError

__all__ = [
    "C_1",
    "C_2",
    "C_L",
    "E_1",
    "E_2",
    "A",
    "A_sq1",
    "A_sq2",
    "Algorithm",
    "C_b",
    "C_sq1",
    "C_sq2",
    "Constants",
    "G",
    "Guarantee",
    "Loss",
    "OracleCalls",
    "Plan",
    "PremiseError",
    "Real",
    "Request",
    "Schedule",
    "Trajectory",
    "V",
    "adapt",
    "bias_bound",
    "descent_bound",
    "deviation_bound",
    "deviation_mean_bound",
    "deviation_squared_bound",
    "displacement_bound",
    "excess_sum",
    "finite_sum_c1",
    "finite_sum_noise",
    "finite_sum_second_moment_bound",
    "gradient_growth_bound",
    "growth_excess",
    "inverse_moment_bound",
    "inverse_moment_sharper",
    "inverse_square_moment_bound",
    "kappa_sharper",
    "larger_cap",
    "least_B_prime",
    "least_D_L",
    "link_bound",
    "link_sharper",
    "link_tasks_bound",
    "mean_over_tasks",
    "meta_gradient",
    "meta_objective",
    "meta_smoothness",
    "mismatch",
    "moment_kappa",
    "moment_lambda",
    "mu",
    "oracle_calls",
    "path_bound",
    "plan",
    "pull_back",
    "q",
    "recommended_stepsize",
    "require_cap",
    "resampling_c1",
    "resampling_noise",
    "root_bound",
    "run",
    "second_moment_bound",
    "smoothness_floor",
    "step_oracle_calls",
    "steps_to_accuracy",
    "stepsize_cap",
    "stepsize_cap_limit",
    "stochastic_meta_gradient",
    "task_bias_bound",
    "task_bias_one_step",
    "task_bias_sharper",
    "task_second_moment_bound",
    "task_second_moment_sharper",
    "task_smoothness",
    "theorem",
    "theorem_exact",
    "theorem_exact_sharper",
    "theorem_finite_sum",
    "theorem_resampling",
    "within_cap",
]
