"""The meta-gradient beside its roofline, beside automatic differentiation, and beside PyTorch by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.benchmarks import peers
from tests.benchmarks.cases import ALPHA, CASES, Case
from tests.benchmarks.rates import Rates
from tests.benchmarks.timing import alternate
from theory.loss import Array
from theory.maml import meta_gradient

PEERS: dict[str, tuple[str, Callable[[Case], Callable[[], Array]]]] = {
    "JAX jit(vmap(grad))": ("jax", peers.jax_meta_gradient),
    "torch by hand": ("torch", peers.torch_by_hand),
    "torch by hand, compiled": ("torch", peers.torch_by_hand_compiled),
    "torch.compile": ("torch", peers.torch_compiled_meta_gradient),
    "torch.func": ("torch", peers.torch_func_meta_gradient),
    "loop over tasks": ("torch", peers.loop_over_tasks),
}
COMPILED = ("torch by hand, compiled", "torch.compile")


def ours(case: Case) -> Callable[[], Array]:
    inner, outer, w = case.build()
    return lambda: meta_gradient(w, ALPHA, case.N, inner, outer)


@pytest.mark.benchmark(group="meta-gradient")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_meta_gradient(case: Case, benchmark: Any, rates: Rates, report: Callable[[str], None]) -> None:
    call = ours(case)
    benchmark(call)
    measured, least = alternate({"ours": call})["ours"], case.least_time(rates)
    benchmark.extra_info["over the roofline"] = measured / least
    report(f"{case!s:<28} {1e6 * measured:9.1f} µs, least {1e6 * least:8.1f} µs, ratio {measured / least:5.2f}")


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_peer(case: Case, peer: str, report: Callable[[str], None]) -> None:
    module, build = PEERS[peer]
    pytest.importorskip(module, reason=f"{module} is not installed, so no comparison with it (extra peers)")
    alike = replace(case, R=1) if peer == "loop over tasks" else case  # its time is that of one point, R times
    if peer in COMPILED and (case.R, case.N) != (64, 5):
        pytest.skip("torch.compile takes a minute a case, so it is compared at one size of each family")
    theirs = build(alike)
    np.testing.assert_allclose(np.asarray(theirs()), ours(alike)(), rtol=1e-7, atol=1e-9)
    times = alternate({"ours": ours(case), "theirs": theirs})
    ratio = case.R / alike.R * times["theirs"] / times["ours"]
    report(f"{case!s:<28} {peer:<23} takes {ratio:7.1f} times as long")
