"""Planned schedules: certified, cheapest nearby, and explained where impossible."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from theory.complexity import oracle_calls, steps_to_accuracy, theorem
from theory.constants import Constants, Schedule
from theory.growth import recommended_stepsize, stepsize_cap
from theory.planner import Plan, plan
from theory.request import Request

CONSTANTS = {
    "exact": Constants(L=2.3, rho=1.7, sigma=0.6, b=0.4, b_sq=0.31),
    "finite-sum": Constants(L=2.3, rho=1.7, sigma=0.6, b=0.4, b_sq=0.31),
    "resampling": Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=1.9, sigma_H=0.8),
}
CHOSEN = {"exact": (), "finite-sum": ("B", "B_prime"), "resampling": ("B", "S", "D", "T", "B_prime", "D_L")}
SIZES = {"train_size": 7, "test_size": 11}


def planned_for(case: str = "exact", c: Constants | None = None, **fields: Any) -> Plan:
    """Plan for N = 3, ε = 0.2 and Δ = 3.7 by the paper's theorem, where not said otherwise."""
    given = {"N": 3, "epsilon": 0.2, "Delta": 3.7, "certified_by": "paper", **fields}
    return plan(Request(constants=c or CONSTANTS[case], case=case, **given))


@pytest.fixture(scope="module", params=["paper", "tight"])
def plans(request: pytest.FixtureRequest) -> dict[str, Plan]:
    return {case: planned_for(case, **SIZES, number_of_tasks=6, certified_by=request.param) for case in CONSTANTS}


def certified_cost(planned: Plan, **changes: Any) -> npt.NDArray[np.float64]:
    """Costs of the planned schedule with some choices changed and the least certified K; infinite where none is."""
    s = replace(planned.schedule, **changes)
    r = planned.request
    K = np.asarray(steps_to_accuracy(r.constants, s, r.epsilon, r.case, r.theorems))
    cost = oracle_calls(replace(s, K=np.where(np.isfinite(K), K, 1.0)), r.case, 7, 11).total
    return np.where(np.isfinite(K), cost, np.inf)


@pytest.mark.parametrize("case", CONSTANTS)
def test_plan_is_certified_and_adds_up(plans: dict[str, Plan], case: str) -> None:
    planned = plans[case]
    s, theorems = planned.schedule, planned.request.theorems
    assert planned.guarantee == theorem(planned.request.constants, s, case, theorems)
    assert planned.guarantee.bound <= 0.2
    assert theorem(planned.request.constants, replace(s, K=s.K - 1), case, theorems).bound > 0.2
    assert planned.oracle_calls == oracle_calls(s, case, 7, 11)
    assert (s.N, s.Delta) == (3, 3.7)
    assert recommended_stepsize(planned.request.constants, 3) <= s.alpha < stepsize_cap(planned.request.constants, 3)
    assert planned.scaling[0] == (3, planned.oracle_calls.total)


@pytest.mark.parametrize("case", CONSTANTS)
def test_no_single_change_is_cheaper_by_a_percent(plans: dict[str, Plan], case: str) -> None:
    planned = plans[case]
    cost = float(planned.oracle_calls.total)
    assert certified_cost(planned) == cost
    factors = np.array([0.5, 0.8, 0.95, 0.99, 1.01, 1.05, 1.2, 2.0])
    assert certified_cost(planned, C_beta=planned.schedule.C_beta * factors).min() > cost * 0.99
    assert certified_cost(planned, alpha=planned.schedule.alpha * factors[4:]).min() > cost * 0.99
    for name in CHOSEN[case]:
        count = getattr(planned.schedule, name)
        others = np.unique(np.maximum([count - 1, count + 1, *np.round(count * factors)], 1))
        assert certified_cost(planned, **{name: others}).min() > cost * 0.99


@pytest.mark.parametrize("case", ["finite-sum", "resampling"])
def test_no_random_schedule_is_cheaper_by_two_percent(plans: dict[str, Plan], case: str) -> None:
    planned = plans[case]
    rng = np.random.default_rng(3)
    spread = np.repeat([0.05, 0.5, 2.0], 2000)

    def scattered(value: float) -> npt.NDArray[np.float64]:
        return value * np.exp(spread * rng.normal(size=spread.size))

    changes = {name: np.maximum(np.round(scattered(getattr(planned.schedule, name))), 1) for name in CHOSEN[case]}
    changes["C_beta"] = scattered(planned.schedule.C_beta)
    costs = certified_cost(planned, **changes)
    assert np.isfinite(costs).mean() > 0.2
    assert costs.min() > 0.98 * float(planned.oracle_calls.total)


def test_exact_plan_is_the_closed_form(plans: dict[str, Plan]) -> None:
    # R = C_βΔ/(K(1 − 1/(2C_β))) is least at C_β = 1, so K = 2Δ(A + Gε)/ε².
    planned = plans["exact"]
    c, s = planned.request.constants, planned.schedule
    p = planned.request.theorem()
    assert s.C_beta == pytest.approx(1, rel=1e-3, abs=0)
    assert s.alpha == pytest.approx(recommended_stepsize(c, 3), rel=1e-9, abs=0)
    assert np.ceil(2 * 3.7 * float(p.A + 0.2 * p.G) / 0.2**2) == s.K
    assert s.B == 6


@pytest.mark.parametrize("case", CONSTANTS)
def test_cost_moves_at_most_linearly_with_N(plans: dict[str, Plan], case: str) -> None:
    planned = plans[case]
    N, costs = np.array(planned.scaling).T
    assert N.tolist() == [3, 6, 12, 24]
    assert (np.diff(costs) > 0).all()
    # The paper's plans have more data in each inner step than in the outer one.
    assert (0.8 if planned.request.certified_by == "paper" else 0.1) < planned.exponent < 1.05
    assert planned.exponent == pytest.approx(np.polyfit(np.log(N), np.log(costs), 1)[0], rel=1e-9, abs=0)


@pytest.mark.parametrize("case", CONSTANTS)
def test_the_tight_theorem_is_the_default_and_certifies_the_cheaper_run(case: str) -> None:
    given = {"constants": CONSTANTS[case], "N": 3, "epsilon": 0.2, "case": case, "Delta": 3.7}
    by_default, papers = plan(Request(**given)), plan(Request(**given, certified_by="paper"))
    assert by_default.request.certified_by == "tight"
    assert by_default.oracle_calls.total < papers.oracle_calls.total


def test_planning_twice_gives_the_same_plan(plans: dict[str, Plan]) -> None:
    by = plans["finite-sum"].request.certified_by
    assert planned_for("finite-sum", **SIZES, number_of_tasks=6, certified_by=by) == plans["finite-sum"]


def test_text_and_dictionary_tell_the_plan(plans: dict[str, Plan]) -> None:
    planned = plans["resampling"]
    told = json.loads(json.dumps(planned.to_dict(), allow_nan=False))
    assert told["schedule"]["K"] == planned.schedule.K
    assert isinstance(told["schedule"]["K"], int)
    assert told["oracle_calls"]["total"] == told["oracle_calls"]["gradients"] + told["oracle_calls"]["hessians"]
    assert told["constants"]["lower_bound"] is None
    assert told["guarantee"]["bound"] <= told["epsilon"] == 0.2
    assert [row["N"] for row in told["scaling"]] == [3, 6, 12, 24]
    text = planned.to_text()
    whose = {"paper": "paper's", "tight": "tight"}[told["theorem"]]
    assert text.startswith(f"The {whose} resampling theorem certifies ḡ ≤ ")
    for name in ("K", "S", "D_L"):
        assert f"{int(getattr(planned.schedule, name)):,}" in text
    assert f"N^{planned.exponent:.2f}" in text
    assert "data per Hessian" not in plans["finite-sum"].to_text()


def test_plan_without_inner_steps_asks_for_no_hessians() -> None:
    planned = planned_for("resampling", Constants(L=2.3, sigma=0.6, sigma_g=1.9), N=0, epsilon=0.5)
    assert planned.oracle_calls.hessians == 0
    assert planned.exponent is None
    assert (planned.schedule.S, planned.schedule.D) == (1, 1)


def test_plan_keeps_the_least_stepsize_that_was_asked_for() -> None:
    c = CONSTANTS["finite-sum"]
    alpha_min = 0.9 * float(stepsize_cap(c, 3))
    eager = planned_for("finite-sum", **SIZES, alpha_min=alpha_min)
    assert alpha_min <= eager.schedule.alpha <= alpha_min * (1 + 1e-6)
    assert eager.oracle_calls.total > 10 * planned_for("finite-sum", **SIZES).oracle_calls.total


def test_a_plan_at_a_stepsize_near_the_cap_leaves_out_inner_steps_past_it() -> None:
    """The cap falls slower than 1/N: with αN kept, 0.93 of the cap at N = 1 is past the cap at N = 2."""
    planned = planned_for(N=1, alpha_min=0.93 * float(stepsize_cap(CONSTANTS["exact"], 1)))
    assert [cost is None for _, cost in planned.scaling] == [False, True, True, True]
    assert planned.exponent is None


def test_a_plan_may_cost_all_that_is_allowed(plans: dict[str, Plan]) -> None:
    cost, by = plans["finite-sum"].oracle_calls.total, plans["finite-sum"].request.certified_by
    allowed = planned_for("finite-sum", **SIZES, certified_by=by, max_oracle_calls=cost)
    assert allowed.schedule == plans["finite-sum"].schedule
    with pytest.raises(ValueError, match=f"^max_oracle_calls = .* must be >= {cost:.0f}, the cost of the cheapest"):
        planned_for("finite-sum", **SIZES, certified_by=by, max_oracle_calls=cost - 1)


def test_one_meta_step_is_planned_where_one_is_certified() -> None:
    """The relaxed problem does not see that K must be whole, and its C_β certifies two."""
    c = CONSTANTS["exact"]
    one = Schedule(N=1, alpha=recommended_stepsize(c, 1), C_beta=2.0, Delta=2.0)
    assert theorem(c, one, "exact").bound <= 5
    assert planned_for(N=1, epsilon=5.0, Delta=2.0).schedule.K == 1


def test_accuracy_beyond_counting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"^epsilon = 1e-09 is not allowed: epsilon must be larger"):
        planned_for(N=2, epsilon=1e-9)
    # K rises slowly with N here, so that a lower limit lets N = 2 and 4 pass and leaves 8 and 16 out of the scaling.
    K = [planned_for(N=N).schedule.K for N in (2, 4, 8)]
    assert K[0] < K[1] < K[2]
    monkeypatch.setattr("theory.cheapest.LARGEST_COUNT", (K[1] + K[2]) / 2)
    planned = planned_for(N=2)
    assert [cost is None for _, cost in planned.scaling] == [False, False, True, True]
    assert planned.to_text().count("none is certified") == 2
    assert planned.exponent == pytest.approx(np.log2(planned.scaling[1][1] / planned.scaling[0][1]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epsilon": 0.0}, r"epsilon = 0 is not allowed: epsilon must be a finite number > 0"),
        ({"epsilon": -0.1}, r"epsilon = -0\.1 is not allowed"),
        ({"epsilon": np.nan}, r"epsilon = nan is not allowed"),
        ({"N": 2.5}, r"N = 2\.5 is not allowed: N must be an integer >= 0"),
        ({"N": -1}, r"N = -1 is not allowed"),
        ({"case": "both"}, r"case = 'both' is not allowed: case must be one of exact, finite-sum, resampling"),
        ({"Delta": np.inf}, r"Delta = inf is not allowed: Delta must be finite \(the losses need a lower bound\)"),
        ({"Delta": -1.0}, r"Delta = -1 is not allowed"),
        ({"train_size": 0}, r"train_size = 0 is not allowed"),
        ({"test_size": 1.5}, r"test_size = 1\.5 is not allowed"),
        ({"alpha_min": 0.0}, r"alpha_min = 0 is not allowed"),
        ({"alpha_min": 0.1}, r"alpha_min = 0\.1 is not allowed: alpha_min must be < 0\.0532.*, the cap at N = 3"),
        ({"number_of_tasks": 0, "case": "exact"}, r"number_of_tasks = 0 is not allowed"),
        (
            {"max_oracle_calls": 100},
            r"max_oracle_calls = 100 is not allowed: max_oracle_calls must be >= \d+",
        ),
        ({"max_oracle_calls": 0}, r"max_oracle_calls = 0 is not allowed"),
        ({"c": Constants(L=2.3, rho=1.7, b=0.4, b_sq=0.31)}, r"sigma = inf is not allowed: sigma must be finite"),
        ({"c": Constants(L=2.3, sigma=0.6, b=0.4, b_sq=0.31)}, r"rho = inf is not allowed: rho must be finite"),
        ({"c": Constants(L=2.3, rho=1.7, sigma=0.6, b=0.4)}, r"b_sq = inf is not allowed: b_sq must be finite"),
        ({"c": Constants(L=2.3, rho=1.7, sigma=0.6), "case": "exact"}, r"b = inf is not allowed: b must be finite"),
        ({"c": Constants(L=2.3, rho=1.7, sigma=0.6), "case": "resampling"}, r"sigma_g = inf is not allowed"),
        (
            {"c": Constants(L=2.3, rho=1.7, sigma=0.6, sigma_g=1.0), "case": "resampling"},
            r"sigma_H = inf is not allowed: sigma_H must be finite \(the resampling theorem needs it\)",
        ),
        (  # σ_g² overflows, so that every start of the search costs infinitely much
            {"c": Constants(L=2.3, rho=0.0, sigma=0.0, sigma_g=1e308, sigma_H=0.0), "case": "resampling"},
            r"epsilon = 0\.2 is not allowed: epsilon must be larger",
        ),
    ],
)
def test_infeasible_requests_say_what_makes_them_so(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}") as error:
        planned_for(**{"case": "finite-sum", "c": CONSTANTS["finite-sum"], **SIZES, **changes})
    assert "\n" not in str(error.value)


def test_schedules_of_a_plan_are_ordinary_schedules(plans: dict[str, Plan]) -> None:
    for planned in plans.values():
        assert type(planned.schedule) is Schedule
