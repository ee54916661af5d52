"""What a search shows: a line for each target, and the outcome in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from verify.claim import claims
from verify.reporting.answers import run_again
from verify.running.loading import claim_spec
from verify.search.adversary import LARGEST
from verify.search.searching import Found, refuted


def line(found: Found) -> str:
    """One target in one line."""
    what = ", ".join(filter(None, [found.claim, found.part, found.mutant and f"mutant {found.mutant!r}"]))
    where = f"N = {found.N}, {found.rule}"
    ratio = "any multiple" if found.ratio >= LARGEST else f"{found.ratio:.6f}"
    outcome = "refuted" if found.refutes else "not refuted"
    return f"{what}, {where}: {ratio} of the bound, {outcome} ({found.evaluations} losses tried)"


def text(found: Sequence[Found], out: Path | None) -> str:
    """The outcome in words, and how the worst loss is examined again."""
    worst = max(found, key=lambda each: each.ratio)
    lines = []
    if worst.mutant:
        fates = refuted(found)
        lines.append(f"{sum(fates.values())} of {len(fates)} mutants refuted")
        lines += [f"not refuted: {name}" for name, fate in fates.items() if not fate]
    else:
        size = ", ".join(f"{g:.6g}" for g in worst.loss.gradient)
        noise = f", σ_g = {worst.loss.sigma_g:.6g}" if worst.loss.sigma_g else ""
        lines.append(
            f"worst: measured {worst.measured:.6g}, bound {worst.bound:.6g}, at ∇l(w) = {size}{noise} (L = ρ = 1)"
        )
    if out is not None and not worst.mutant:
        lines.append(f"again: {_command(worst, out)}")
    return "\n".join(lines)


def _command(found: Found, out: Path) -> str:
    """Return the command that examines the claim on the loss in the file `out`."""
    return run_again(found.claim, claim_spec(claims()[found.claim]), str(out), found.N, profile="quick")


def exit_code(found: Sequence[Found]) -> int:
    """0 where no claim is refuted and all mutants are, else 1."""
    right = [each.refutes for each in found if not each.mutant]
    return int(any(right) or not all(fate for name, fate in refuted(found).items() if name))
