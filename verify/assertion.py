"""Assert in a test that claims hold on a problem."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from problems.problem import Problem
from verify.running.evaluation import evaluate
from verify.running.records import CellName, Record
from verify.running.selection import Selection, plan

SHOWN = 10


def assert_claims(
    problem: Problem | str,
    claims: str | Iterable[str] = (),
    *,
    inner_steps: int | Iterable[int] = (),
    profile: str = "quick",
    seed: int = 0,
) -> list[Record]:
    """Assert that claims hold on a problem, after an audit of its constants.

    Parameters
    ----------
    problem : a problem, or what `python -m verify run --problem` takes.
    claims : names of claims, or one name; all that speak of the problem where empty.
    inner_steps : the numbers N of inner steps to examine, or one; those of the profile where empty.
    profile : "quick", "default" or "full".
    seed : of everything random.

    Returns
    -------
    The records of all checks, the audit's first: measured, bound, tightness, verdict.

    Raises
    ------
    AssertionError : the audit refutes a constant, a check is violated, inconclusive or fails, or nothing was judged.
    ValueError : in one line, for a name or a value that there is not, for a problem that cannot be built, and for what
        is no problem.
    """
    if not isinstance(problem, Problem | str):
        call = ": call it" if callable(problem) else ""  # type: ignore[unreachable]  # tests are seldom type-checked
        raise ValueError(f"problem is a {type(problem).__name__}, must be a Problem or the name of one{call}")
    selection = Selection(
        claims=(claims,) if isinstance(claims, str) else tuple(claims),
        problems=(problem,) if isinstance(problem, str) else (),
        inner_steps=tuple(inner_steps) if isinstance(inner_steps, Iterable) else (inner_steps,),
        profile=profile,
        seed=seed,
    )
    given = None if isinstance(problem, str) else problem
    cells = plan(selection, given)
    audit = _evaluate((cell for cell in cells if cell.is_audit), given)
    _require(audit, "the audit of the constants fails: nothing else was examined")
    records = _evaluate((cell for cell in cells if not cell.is_audit), given)
    _require(records, "claims do not hold")
    if not any(record.verdict == "holds" for record in records or audit):
        reasons = dict.fromkeys(f"{r.claim}: {r.verdict}, {r.note}" for r in records or audit)
        raise AssertionError("\n".join(["no claim speaks here", *list(reasons)[:SHOWN]]))
    return audit + records


def _evaluate(cells: Iterable[CellName], problem: Problem | None) -> list[Record]:
    return [record for cell in cells for record in evaluate(cell, problem)]


def _require(records: Sequence[Record], what: str) -> None:
    wrong = [record for record in records if record.verdict in ("violated", "inconclusive", "error")]
    if not wrong:
        return
    lines = [_line(record) for record in wrong[:SHOWN]]
    if len(wrong) > SHOWN:
        lines.append(f"and {len(wrong) - SHOWN} more")
    raise AssertionError("\n".join([f"{what} ({len(wrong)} of {len(records)} checks)", *lines]))


def _line(record: Record) -> str:
    """One check in one line: what, where, measured beside bound."""
    numbers = ""
    if record.measured is not None and record.bound is not None:
        numbers = f": measured {record.measured:.6g}, bound {record.bound:.6g}"
    estimated = f" (estimated: {', '.join(record.estimated)})" if record.estimated else ""
    note = f"; {record.note}" if record.note else ""
    return f"{record.verdict}: {record.claim} on {record.where}{numbers}{note}{estimated}"
