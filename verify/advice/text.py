"""Advice as text: a table of stepsizes, a table of verdicts, and what they mean."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from verify.advice.runs import Critical

if TYPE_CHECKING:
    from verify.advice.advising import Advice, Advised

NO_CERTIFICATE = (
    "Stable is no certificate: it says that one run from this start did not diverge in so many steps.",
    "A certificate holds wherever the constants do, for any number of steps, with the theorem's β.",
)


def text(advice: Advice) -> str:
    """Tables and sentences."""
    lines = [*_about(advice), "", *_stepsizes(advice), "", *_verdicts(advice), "", *_answer(advice), *NO_CERTIFICATE]
    return "\n".join(line.rstrip() for line in lines)


def _about(advice: Advice) -> Iterator[str]:
    c = advice.constants
    guessed = ", estimated" if {"L", "rho"} & set(advice.estimated) else ""
    yield f"{advice.problem}: {advice.dim} parameters, {advice.tasks} tasks ({advice.case})"
    yield f"L = {c.L:.4g}, ρ = {c.rho:.4g}{guessed}"
    yield f"runs of exact MAML from the start: {advice.steps} meta steps, with {' or with '.join(advice.rules)}"


def _stepsizes(advice: Advice) -> list[str]:
    own = advice.case == "resampling"
    head = [
        "N",
        "1/(8NL)",
        "paper's cap",
        *(["larger cap"] if own else []),
        *(f"α diverges, {r}" for r in advice.rules),
    ]
    rows = [
        [
            str(known.N),
            _number(known.recommended),
            _number(known.cap),
            *([_number(known.larger_cap or math.nan)] if own else []),
            *(_critical(known.critical[rule]) for rule in advice.rules),
            _number(known.on_paths.L),
            _number(known.on_paths.rho),
            _number(known.cap_on_paths),
        ]
        for known in advice.advised
    ]
    return _table([*head, "L on paths", "ρ on paths", "cap with that L"], rows)


def _verdicts(advice: Advice) -> list[str]:
    verdicts = [verdict for known in advice.advised for verdict in known.verdicts]
    of = {(v.N, v.alpha, v.meta_stepsize): v.words(advice.steps) for v in verdicts}
    places = dict.fromkeys((v.N, v.alpha) for v in verdicts)
    rows = [[str(N), _number(alpha), *(of[N, alpha, rule] for rule in advice.rules)] for N, alpha in places]
    return _table(["N", "α", *advice.rules], rows)


def _answer(advice: Advice) -> Iterator[str]:
    """How the measured limit moves with N, and how far the certificate is from it."""
    fixed = advice.rules[-1]
    measured = [(known, known.critical[fixed].unstable) for known in advice.advised]
    known = [(a, critical) for a, critical in measured if math.isfinite(critical)]
    if not known:
        yield f"With {fixed} no run diverged."
        return
    ratios = [critical / a.cap for a, critical in known]
    span = f"{min(ratios):.2g}" if len(ratios) == 1 else f"{min(ratios):.2g} to {max(ratios):.2g}"
    yield f"With {fixed} runs diverge first at {span} times the paper's cap."
    if len(known) > 1:
        ends = f"from N = {known[0][0].N} to {known[-1][0].N}"
        yield f"That limit falls like N^{_slope(known):.2f} {ends}; the caps fall like 1/N."


def _slope(known: Sequence[tuple[Advised, float]]) -> float:
    N, alpha = np.log([[a.N, critical] for a, critical in known]).T
    return float(np.polyfit(N, alpha, 1)[0])


def _critical(found: Critical) -> str:
    return f"none to {_number(found.stable)}" if math.isinf(found.unstable) else _number(found.unstable)


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)]
