"""Hessian-free MAML: a difference of gradients for each Hessian-vector product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np

from theory.extended import Extended, Number, expm1, log1p
from theory.loss import Array, Loss
from theory.maml import adapt
from theory.neighbours.first_order import FirstOrder
from theory.norm import norm
from theory.symbols import bound
from theory.validation import one_of, real

Mode: TypeAlias = Literal["forward", "central", "raw"]


def pull_back_by_differences(
    v: Array, path: Sequence[Array], alpha: float | Array, losses: Sequence[Loss], step: float | Array, mode: Mode
) -> Array:
    """As `theory.maml.pull_back`, each `∇²l(w̃_j) v` replaced by a difference of gradients along v.

    Parameters
    ----------
    v, path, alpha, losses : as in `pull_back`.
    step : length of the difference, > 0; in the mode "raw" it is relative to ‖v‖.
    mode : "forward" and "raw" from `w̃_j` on, "central" to both sides of it.

    Raises
    ------
    ValueError : a step or a stepsize that is out of range, an unknown mode.

    Source: Fallah, Mokhtari, Ozdaglar (2020), Hessian-free MAML, for N = 1.
    """
    real("alpha", alpha)
    real("step", step, open_low=True)
    one_of("mode", mode, get_args(Mode))
    for point, loss in zip(reversed(path[: len(losses)]), reversed(losses), strict=True):
        length = norm(v)[..., None]
        # A unit of v is h long; where v vanishes nothing is to be done, whatever h is.
        h = step * np.ones_like(length) if mode == "raw" else step / np.where(length > 0, length, 1.0)
        behind = loss.gradient(point - h * v) if mode == "central" else loss.gradient(point)
        width = 2 * h if mode == "central" else h
        v = v - alpha * (loss.gradient(point + h * v) - behind) / width
    return v


def hessian_free(
    w: Array,
    alpha: float | Array,
    N: int,
    inner: Loss,
    outer: Loss,
    *,
    step: float | Array,
    mode: Mode = "forward",
) -> Array:
    """Hessian-free direction: the last gradient, pulled back by differences of gradients.

    Arguments, shapes and errors as `theory.maml.meta_gradient`; `step` and `mode` as `pull_back_by_differences`.

    Source: Fallah, Mokhtari, Ozdaglar (2020), for N = 1.
    """
    path = adapt(w, alpha, [inner] * N)
    return pull_back_by_differences(outer.gradient(path[-1]), path, alpha, [inner] * N, step, mode)


class HessianFree(FirstOrder):
    """Bounds on Hessian-free MAML, with a step δ. Source: own."""

    @bound
    def hessian_free_error(p, step: Number, last_gradient_norm: Number) -> Number:
        """HF ERROR, forward and central: `‖v_0 − ∇L_i‖ ≤ (N/2)αρδ q^{N−1}‖g_N‖`, `step` = δ."""
        return p.N / 2 * p.alpha * p.rho * step * p.q(p.N - 1) * last_gradient_norm

    @bound
    def hessian_free_error_raw(p, step: Number, last_gradient_norm: Number) -> Number:
        """HF ERROR, steps `δv` that are not normalised: `‖v_0 − ∇L_i‖ ≤ (ρδ/(2L)) q^{N−1}(q^N − 1)‖g_N‖²`."""
        return p.rho * step / (2 * p.L) * p.q(p.N - 1) * p.e(p.N) * last_gradient_norm**2

    @bound
    def phi_hessian_free(p, step: Number) -> Number:
        """`(N/2)αρδ q^{2N−1}`: resampling, `‖v_0 − ∇L_i‖ ≤ (N/2)αρδ q^{2N−1}‖∇l_i‖`. Source: HF ERROR."""
        return p.N / 2 * p.alpha * p.rho * step * p.q(2 * p.N - 1)

    @bound
    def hessian_free_floor(p, step: Number, residual: Number) -> Number:
        """HF FLOOR: `‖∇L(w)‖ ≤ (N/2)αρδ q^{2N−1} σ/√(1 − (q^{2N} − 1)²)` where `E_i v_0 = 0`.

        Else `‖∇L(w) − E_i v_0‖` is bounded, with `gradients` for the last factor; `residual` = ‖E_i v_0‖. Raises
        PremiseError at `q^{2N} ≥ 2`.
        """
        return Extended(p.phi_hessian_free(step)) * p.gradients(p.C_2, residual)

    @bound
    def hessian_free_rounding(p, step: Number, error: Number, last_gradient_norm: Number) -> Number:
        """HF ROUNDING, forward: every gradient off by at most η = `error`, along the same path.

        `‖v_0 − ∇L_i‖ ≤ ((q + αω)^N − q^N)‖v_N‖ + q^N η`, `ω = ρδ/2 + 2η/δ`, least at `δ = 2√(η/ρ)`.
        """
        omega = p.rho * step / 2 + 2 * Extended(error) / step
        return p.q(p.N) * (expm1(p.N * log1p(p.alpha * omega / p.q(1))) * last_gradient_norm + error)
