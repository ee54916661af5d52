"""What all processes of a run must have in common: our code, the user's files, and the problems built of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple
from typing import Literal, TypeAlias

import numpy as np

from verify.cell import alpha_L
from verify.running.environment import digest, environment
from verify.running.loading import is_scheduled, load_claims, load_problem
from verify.running.records import CellName, RunError
from verify.running.spec import Spec
from verify.running.user_code import contained, loaded_files

Kind: TypeAlias = Literal["environment", "file", "problem"]
Fact: TypeAlias = str | tuple[float, ...]
Facts: TypeAlias = dict[tuple[Kind, str], Fact]
"""Digests, versions and numbers, each with what it is of."""
SAME = 1e-6
"""Relative difference up to which two numbers of a problem count as one."""
TASKS_LOOKED_AT = 20
REFERENCE = (1, alpha_L("recommended", 1))
"""Schedule for which each process builds a problem that depends on it."""


def facts(cells: Iterable[CellName] = ()) -> Facts:
    """What this process has loaded and built for some cells."""
    found: Facts = {("environment", name): value for name, value in environment().items()}
    for cell in cells:
        if cell.claim_spec:
            found |= claims_code(cell.claim_spec)
        if Spec.parse(cell.problem_spec).place:
            found |= user_code(cell.problem_spec)
            if is_scheduled(cell.problem_spec):
                found |= numbers(cell.problem_spec, cell.N, alpha_L(cell.rule, cell.N))
    return found


def user_code(spec: str) -> Facts:
    """Digests of the files of a user's problem, and the numbers with which it is built.

    A problem that depends on the schedule is built for the same one in all processes.
    """
    built = numbers(spec, *REFERENCE)  # which loads the files as they are now
    return _files(spec) | built


def claims_code(spec: str) -> Facts:
    """Digests of the files of a user's claims, as they are now; of those loaded before where they fail now."""
    with suppress(ValueError):
        load_claims(spec)
    return _files(spec)


def _files(spec: str) -> Facts:
    return {("file", name): value for name, value in loaded_files(spec).items()}


def numbers(spec: str, N: int, alpha_L: float) -> Facts:
    """Constants of a user's problem, and values and gradients of its first tasks at the start: the same at every call.

    There are none where its code fails: then its cells are errors, which say why.
    """
    name = Spec.parse(spec).shown + (f", N = {N}, αL = {alpha_L:.6g}" if is_scheduled(spec) else "")
    found: tuple[float, ...] = ()
    with suppress(Exception, SystemExit), contained():
        problem = load_problem(spec, N, alpha_L)
        w, losses = problem.start[None], (problem.inner, problem.outer)
        norms = [np.linalg.norm(loss.gradient(w), axis=-1) for loss in losses]
        seen = [np.ravel(x)[:TASKS_LOOKED_AT] for x in (*(loss.value(w) for loss in losses), *norms)]
        found = tuple(map(float, np.concatenate([astuple(problem.constants), *seen])))
    return {("problem", name): found}


def fingerprint(found: Fact) -> str:
    """A fact as a digest: of numbers, as far as they are the same at every call."""
    if isinstance(found, str):
        return found
    return digest(" ".join(f"{x:.6g}" for x in found).encode())


class Provenance:
    """What is known of the processes of a run; the first that differs from another one ends it."""

    def __init__(self, known: Facts) -> None:
        self._known = dict(known)

    def require(self, found: Facts) -> None:
        """Take note of what a process has loaded and built.

        Raises
        ------
        RunError : one line, where it differs from what another process, or the same one earlier, has loaded or built.
        """
        for what, value in found.items():
            known = self._known.setdefault(what, value)
            if not _same(known, value):
                raise RunError(_difference(*what, known, value))


def _same(one: Fact, other: Fact) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return not (one and other) or (
        len(one) == len(other)
        and all(
            math.isclose(x, y, rel_tol=SAME, abs_tol=SAME) or (math.isnan(x) and math.isnan(y))
            for x, y in zip(one, other, strict=True)
        )
    )


def _difference(kind: Kind, name: str, was: Fact, now: Fact) -> str:
    if kind == "file":
        return f"{name} was edited during the run: start it again with --overwrite"
    if kind == "problem":
        return (
            f"problem = {name!r} is not the same each time that it is built or called: its factory must draw from a "
            "generator with a fixed seed, and its tasks may not change"
        )
    if name == "code":
        return "the code of this suite is not the same in all processes: it was edited, or a worker has another version"
    return f"a worker has {name} {now}, another one {was}"
