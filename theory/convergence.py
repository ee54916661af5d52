"""The three theorems: how small the mean gradient norm of the meta objective must get in K meta steps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from theory.constants import Constants, Real, Schedule
from theory.extended import INF, Extended, Number, hypot, plain, sqrt
from theory.meta_stepsize import MetaStepsize
from theory.symbols import bound, signed, symbol
from theory.validation import PremiseError


@dataclass(frozen=True)
class Guarantee:
    """What a theorem promises: `ḡ = (1/K) Σ_k E‖∇L(w_k)‖ ≤ bound`, the root of `ḡ² = R(A + Gḡ)`.

    `c_1` is the share of the descent that noise leaves, `noise` what it adds per step (0 for exact MAML).
    """

    bound: Real
    R: Real
    A: Real
    G: Real
    c_1: Real
    noise: Real


def root_bound(R: Number, A: Number, G: Number) -> Real:
    """`½(GR + √(G²R² + 4AR))`, the root of `ḡ² = R(A + Gḡ)`; all non-negative.

    Source: Ji, Yang, Liang (2022), last step of the theorems.

    >>> root_bound(2.0, 3.0, 0.5)  # 3² = 2(3 + ½·3)
    3.0
    """
    half = Extended(G) * R / 2
    return plain(half + hypot(half, sqrt(A) * sqrt(R)))


class Convergence(MetaStepsize):
    """What the theorems share: DESCENT, and `L_w ≤ A + G‖∇L(w)‖`."""

    @bound
    def descent(p, meta_gradient_norm: Number, L_w: Number) -> Number:
        """DESCENT: a meta step of exact MAML lowers L by at least `(1/C_β)(1 − 1/(2C_β))‖∇L(w)‖²/L_w`, for every α.

        Negative (a bound on the rise) for `C_β < ½`.
        Source: Ji, Yang, Liang (2022), proofs of the theorems (descent lemma).
        """
        share = (1 - 0.5 / p.C_beta) / plain(p.C_beta)
        return share * plain(meta_gradient_norm**2 / L_w)

    @symbol
    def G(p) -> Extended:
        """`C_L/C_1`: `L_w ≤ A + G‖∇L(w)‖`. Raises PremiseError past the cap. Source: LINK into SMOOTHNESS."""
        return p.C_L / p.C_1

    @symbol
    def A(p) -> Extended:
        """`a + C_L(σ + m)/C_1`, m = 0 in the resampling case. Errors and source as `G`."""
        return p.a + p.G * (p.sigma + p.m)


class Theorem(Convergence):
    """A theorem: the share `c_1` of the descent that noise leaves, the noise of a step, and the `R` that follows."""

    @signed
    def c_1(p) -> Number:
        """Share of the descent that noise leaves, possibly ≤ 0."""
        raise NotImplementedError

    @symbol
    def positive_c_1(p) -> Extended:
        """`c_1` as a divisor. Raises PremiseError where it is not positive."""
        least = float(np.min(p.c_1, initial=INF))
        if not least > 0:
            raise PremiseError(
                f"c_1 = {least:g} is not allowed: c_1 must be > 0 (larger C_beta, B, S, B_prime or D_L)",
                "c_1 ≤ 0: noise can eat the descent",
            )
        return Extended(p.c_1)

    @symbol
    def noise(p) -> Extended:
        """What noise adds in a step; none in exact MAML."""
        return Extended(0.0)

    @symbol
    def spent(p) -> Extended:
        """`R c_1`, the part of R that comes from the gap and from the noise."""
        raise NotImplementedError

    @symbol
    def R(p) -> Extended:
        """`ḡ² ≤ R(A + Gḡ)`. Raises PremiseError where `c_1 ≤ 0`. Source: as the theorem."""
        return p.spent * (1 / p.positive_c_1)

    @cached_property
    def guarantee(p) -> Guarantee:
        """What the theorem promises. Raises PremiseError past the stepsize cap or where `c_1 ≤ 0`."""
        A, G, R = p.A, p.G, p.R
        return Guarantee(root_bound(R, A, G), plain(R), plain(A), plain(G), p.c_1, plain(p.noise))

    @bound
    def need(p, epsilon: Number) -> Number:
        """`(A + Gε)/ε²`: the theorem certifies `ḡ ≤ ε` iff its `R · need ≤ 1`. Source: `root_bound`, solved for R."""
        return (p.A + p.G * epsilon) * (1 / epsilon) * (1 / epsilon)

    @bound
    def margin(p, epsilon: Number) -> Number:
        """`c_1 (1 − R · need)`, by how much the theorem certifies `ḡ ≤ ε`; negative where it does not.

        Raises PremiseError past the cap only, so that a search may cross `c_1 = 0`. Source: as `need`.
        """
        return p.c_1 - plain(p.spent * p.need(epsilon))

    @bound
    def steps_needed(p, epsilon: Number) -> Number:
        """Real-valued K at which `margin` is zero; ∞ where no K is enough. Errors and source as `margin`."""
        room = type(p)(p.constants, p.schedule, **{**p.changes, "Delta": 0}).margin(epsilon)
        enough = np.greater(room, 0)
        return np.where(enough, p.C_beta * p.Delta * p.need(epsilon) / np.where(enough, room, 1.0), INF)


class Exact(Theorem):
    """THEOREM, exact MAML: `R = C_βΔ/(K(1 − 1/(2C_β)))` with `β_k = 1/(C_βL_{w_k})`, `C_β > ½`; both cases.

    Reads N, α, C_β, K and Δ of the schedule.

    Source: Ji, Yang, Liang (2022), the theorems without sampling (own statement by their technique).
    """

    @signed
    def c_1(p) -> Number:
        """`1 − 1/(2C_β)`."""
        return 1 - 0.5 / p.C_beta

    @symbol
    def positive_c_1(p) -> Extended:
        """`c_1` as a divisor. Raises PremiseError where `C_β ≤ ½`."""
        if np.any(p.C_beta <= 0.5):
            raise PremiseError(
                f"C_beta = {np.min(p.C_beta):g} is not allowed: C_beta must be > 0.5", "C_β is not above ½"
            )
        return Extended(p.c_1)

    @symbol
    def spent(p) -> Extended:
        """`C_βΔ/K`."""
        return p.C_beta * (p.Delta / p.K)


class FiniteSum(Theorem):
    """THEOREM, finite-sum (Algorithm 2): `R = C_β(Δ/K + noise)/c_1`.

    Reads N, α, C_β, B, B', K and Δ of the schedule.

    Source: Ji, Yang, Liang (2022), theorem on the finite-sum case.
    """

    @signed
    def c_1(p) -> Number:
        """`1 − (κ/(2C_β))(1 + A_sq1/B)`, possibly ≤ 0. Raises PremiseError past the cap."""
        return 1 - p.kappa * (0.5 / p.C_beta) * (1 + p.A_sq1 / p.B)

    @symbol
    def noise(p) -> Extended:
        """`κA_sq2/(2C_β²aB)`. Raises PremiseError past the cap."""
        return p.kappa * p.A_sq2 * (1 / (2 * p.B)) / (p.C_beta**2 * p.a)

    @symbol
    def spent(p) -> Extended:
        """`C_β(Δ/K + noise)`."""
        return p.C_beta * (p.Delta / p.K + p.noise)


class Resampling(Theorem):
    """THEOREM, resampling (Algorithm 1): `R = (C_βΔ/K + noise)/c_1`.

    Reads every field of the schedule.

    Source: Ji, Yang, Liang (2022), theorem on the resampling case.
    """

    @symbol
    def bias_weight(p) -> Extended:
        """`√κ + 2κ/C_β`, what half a squared bias counts for."""
        return sqrt(p.kappa) + 2 * p.kappa / p.C_beta

    @signed
    def c_1(p) -> Number:
        """`λ/2 − κ/C_β − κC_sq1/(2C_βB) − (√κ + 2κ/C_β)E_2²/S`, possibly ≤ 0. Raises PremiseError past the cap."""
        variance = p.kappa * p.C_sq1 * (1 / (2 * (p.C_beta * p.B)))
        bias = p.bias_weight * p.E_2**2 * (1 / p.S)
        return p.lam / 2 - (p.kappa / p.C_beta + variance + bias)

    @symbol
    def noise(p) -> Extended:
        """`(1/a)[(√κ + 2κ/C_β)(E_1 + E_2σ)²/S + κC_sq2/(2C_βB)]`. Raises PremiseError past the cap."""
        bias = p.bias_weight * (p.E_1 + p.E_2 * p.sigma) ** 2 * (1 / p.S)
        variance = p.kappa * p.C_sq2 * (1 / (2 * (p.C_beta * p.B)))
        return (bias + variance) / p.a

    @symbol
    def spent(p) -> Extended:
        """`C_βΔ/K + noise`."""
        return p.C_beta * (p.Delta / p.K) + p.noise


def theorem_exact(c: Constants, s: Schedule) -> Guarantee:
    """THEOREM, exact MAML: `R = C_βΔ/(K(1 − 1/(2C_β)))` with `β_k = 1/(C_βL_{w_k})`; both cases.

    Reads N, α, C_β, K and Δ of the schedule. Raises PremiseError past the stepsize cap or where `C_β ≤ ½`.

    Source: Ji, Yang, Liang (2022), the theorems without sampling (own statement by their technique).
    """
    return Exact(c, s).guarantee


def theorem_finite_sum(c: Constants, s: Schedule) -> Guarantee:
    """THEOREM, finite-sum (Algorithm 2): `R = C_β(Δ/K + noise)/c_1`.

    Reads N, α, C_β, B, B', K and Δ of the schedule. Raises PremiseError past the stepsize cap or where `c_1 ≤ 0`.

    Source: Ji, Yang, Liang (2022), theorem on the finite-sum case.
    """
    return FiniteSum(c, s).guarantee


def theorem_resampling(c: Constants, s: Schedule) -> Guarantee:
    """THEOREM, resampling (Algorithm 1): `R = (C_βΔ/K + noise)/c_1`.

    Reads every field of the schedule. Raises PremiseError past the stepsize cap or where `c_1 ≤ 0`.

    Source: Ji, Yang, Liang (2022), theorem on the resampling case.
    """
    return Resampling(c, s).guarantee
