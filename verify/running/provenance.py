"""What all processes of a run must have in common: our code, the user's files, and the problems built of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import astuple
from typing import TypeAlias

import numpy as np

from problems.problem import Problem
from verify.claim import alpha_L
from verify.running.environment import digest, environment
from verify.running.loading import is_scheduled, load_problem
from verify.running.records import CellName, RunError
from verify.running.spec import Spec
from verify.running.user_code import contained, loaded_files

Fact: TypeAlias = str | tuple[float, ...]
SAME = 1e-6
"""Relative difference up to which two numbers of a problem count as one."""
TASKS_LOOKED_AT = 20


def facts(cells: Iterable[CellName]) -> dict[str, Fact]:
    """What this process has loaded and built for some cells, after it has evaluated them."""
    found: dict[str, Fact] = dict(environment())
    for cell in cells:
        if Spec.parse(cell.problem_spec).place:
            found.update(user_facts(cell.problem_spec, cell.N, alpha_L(cell.rule, cell.N)))
    return found


def user_facts(spec: str, N: int, alpha_L: float) -> dict[str, Fact]:
    """Digests of the files of a user's problem, and some of its numbers."""
    try:
        problem = load_problem(spec, N, alpha_L)
    except ValueError:  # its cells are errors, which say why
        return {}
    built = f"{spec} for N = {N}, αL = {alpha_L:.6g}" if is_scheduled(spec) else spec
    digests = {f"file {name}": value for name, value in loaded_files(spec).items()}
    return {**digests, f"problem {built}": numbers(problem)}


def numbers(problem: Problem) -> tuple[float, ...]:
    """Constants of a problem, and values and gradients of its first tasks at the start: the same at every call."""
    w = problem.start[None]
    found = [*astuple(problem.constants)]
    with contained():
        for loss in (problem.inner, problem.outer):
            found += np.ravel(loss.value(w))[:TASKS_LOOKED_AT].tolist()
            found += np.ravel(np.linalg.norm(loss.gradient(w), axis=-1))[:TASKS_LOOKED_AT].tolist()
    return tuple(map(float, found))


def fingerprint(found: tuple[float, ...]) -> str:
    """Digest of the numbers of a problem, as far as they are the same at every call."""
    return digest(" ".join(f"{x:.6g}" for x in found).encode())


class Provenance:
    """What is known of the processes of a run; the first that differs from another one ends it."""

    def __init__(self, known: Mapping[str, Fact]) -> None:
        self._known = dict(known)

    def require(self, found: Mapping[str, Fact]) -> None:
        """Take note of what a process has loaded and built.

        Raises
        ------
        RunError : one line, where it differs from what another process, or the same one earlier, has loaded or built.
        """
        for name, value in found.items():
            if not _same(self._known.setdefault(name, value), value):
                raise RunError(f"{_difference(name, self._known[name], value)}; what was found before it is kept")


def _same(one: Fact, other: Fact) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return len(one) == len(other) and all(
        math.isclose(x, y, rel_tol=SAME, abs_tol=SAME) or (math.isnan(x) and math.isnan(y))
        for x, y in zip(one, other, strict=True)
    )


def _difference(name: str, was: Fact, now: Fact) -> str:
    kind, _, rest = name.partition(" ")
    if kind == "file":
        return f"{rest} was edited during the run: start it again with --overwrite"
    if kind == "problem":
        return (
            f"problem = {rest!r} is not the same each time that it is built or called: its factory must draw from a "
            "generator with a fixed seed, and its tasks may not change"
        )
    if name == "code":
        return "the code of this suite is not the same in all processes: it was edited, or a worker has another version"
    return f"a worker has {name} {now}, another one {was}"
