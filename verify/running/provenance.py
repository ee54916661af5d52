"""What all processes of a run must have in common: our code, the user's files, and the problems built of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple
from typing import TypeAlias

import numpy as np

from verify.cell import alpha_L
from verify.running.environment import digest, environment
from verify.running.loading import is_scheduled, load_problem
from verify.running.records import CellName, RunError
from verify.running.spec import Spec
from verify.running.user_code import contained, loaded_files

Fact: TypeAlias = str | tuple[float, ...]
SAME = 1e-6
"""Relative difference up to which two numbers of a problem count as one."""
TASKS_LOOKED_AT = 20
REFERENCE = (1, alpha_L("recommended", 1))
"""Schedule for which each process builds a problem that depends on it."""


def facts(cells: Iterable[CellName] = ()) -> dict[str, Fact]:
    """What this process has loaded and built for some cells, after it has evaluated them."""
    found: dict[str, Fact] = dict(environment())
    for cell in cells:
        code = user_code(cell.problem_spec)
        found |= code | (values(cell.problem_spec, cell.N, alpha_L(cell.rule, cell.N)) if code else {})
    return found


def user_code(spec: str) -> dict[str, Fact]:
    """Digests of the files of a user's problem, and the constants with which it is built; none of its losses is called.

    A problem that depends on the schedule is built for the same one in all processes.
    """
    named = Spec.parse(spec)
    if not named.place:  # one of the suite
        return {}
    built = _attempt(lambda: astuple(load_problem(spec, *REFERENCE).constants))
    return {**{f"file {name}": value for name, value in loaded_files(spec).items()}, f"problem {named.shown}": built}


def values(spec: str, N: int, alpha_L: float) -> dict[str, Fact]:
    """Values and gradients of the first tasks of a user's problem at the start: the same at every call."""
    schedule = f", N = {N}, αL = {alpha_L:.6g}" if is_scheduled(spec) else ""

    def call() -> list[float]:
        problem = load_problem(spec, N, alpha_L)
        w = problem.start[None]
        losses = (problem.inner, problem.outer)
        norms = [np.linalg.norm(loss.gradient(w), axis=-1) for loss in losses]
        numbers = [*(loss.value(w) for loss in losses), *norms]
        return [x for found in numbers for x in np.ravel(found)[:TASKS_LOOKED_AT]]

    return {f"problem {Spec.parse(spec).shown}{schedule} (values)": _attempt(call)}


def _attempt(call: Callable[[], Iterable[float]]) -> tuple[float, ...]:
    """Numbers that a user's code gives; none where it fails, since then its cells are errors, which say why."""
    try:
        with contained():
            return tuple(map(float, call()))
    except (Exception, SystemExit):
        return ()


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
                raise RunError(_difference(name, self._known[name], value))


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


def _difference(name: str, was: Fact, now: Fact) -> str:
    kind, _, rest = name.partition(" ")
    if kind == "file":
        return f"{rest} was edited during the run: start it again with --overwrite"
    if kind == "problem":
        what = rest.removesuffix(" (values)")
        return (
            f"problem = {what!r} is not the same each time that it is built or called: its factory must draw from a "
            "generator with a fixed seed, and its tasks may not change"
        )
    if name == "code":
        return "the code of this suite is not the same in all processes: it was edited, or a worker has another version"
    return f"a worker has {name} {now}, another one {was}"
