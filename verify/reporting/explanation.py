"""What `explain` prints of a claim or of a problem: plain text."""

from __future__ import annotations

import inspect
import math
import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields

from problems.problem import Problem
from problems.registry import families
from theory.constants import Constants
from theory.symbols import BOUNDS
from theory.validation import suggestion
from verify.cell import StepsizeRule, alpha_L
from verify.claim import Claim, claims
from verify.reporting.book import place
from verify.reporting.sketch import sketch
from verify.running.loading import load_problem
from verify.running.selection import find_claims
from verify.running.spec import Spec

WIDTH = 100
LABEL = 13
SHOWN_N = 2
SHOWN_RULE: StepsizeRule = "near cap"
"""For which a problem that depends on them is built: few steps, and long ones."""


def explain(name: str) -> str:
    """Everything about a claim or a problem of this name, or about the claims of a file.

    Raises ValueError with the nearest name where there is none.
    """
    if name in families() or Spec.parse(name).is_drawn:
        return problem(name)
    try:
        return "\n\n".join(claim(claims()[each]) for each in find_claims(name))
    except ValueError:
        if (named := Spec.parse(name)).place and named.name:
            return problem(name)
        if hint := suggestion(name, families()):
            raise ValueError(f"{name!r} is neither a claim nor a problem{hint}") from None
        raise


def claim(made: Claim) -> str:
    """Everything about a claim."""
    steps = "those of the profile" if made.inner_steps is None else ", ".join(map(str, made.inner_steps))
    every = "all registered problems" if made.everywhere else "the ordinary problems"
    where = every if made.problems is None else ", ".join(made.problems)
    entries = {
        "Claim": made.name,
        **({"Answers": made.answers} if made.answers else {}),
        "Source": made.source.text,
        "Proof": place("claim", made.name) or "not in the book",
        "Says": made.says,
        "Assumes": "; ".join(made.assumes) or "nothing",
        "Bounds": "; ".join(f"{name}(p, {', '.join(BOUNDS[name])})" for name in made.bounds) or "a formula of its own",
        "Measured": made.measured,
        **({"Standing": made.standing} if made.standing else {}),
        "Sharp": made.sharpness,
        "Cases": ", ".join(sorted(made.cases)),
        "Needs": ", ".join(made.needs) or "no constant beyond L",
        "Problems": ", ".join((where, *made.instances)),
        "Stepsizes": ", ".join(made.at),
        "Inner steps": steps,
    }
    lines = [*_wrapped(f"{made.statement}: {made.title}"), "", *_entries(entries)]
    if made.mutants:
        lines += ["", "Mutants, each refuted by the suite where it says:"]
    return "\n".join([*lines, *(f"  {each.name}: {each.on}, N = {each.N}, {each.rule}" for each in made.mutants)])


def problem(spec: str) -> str:
    """Everything about a problem, which is built for `SHOWN_N` inner steps."""
    rule = alpha_L(SHOWN_RULE, SHOWN_N)
    built = load_problem(spec, SHOWN_N, rule)
    known = families().get(spec)
    entries = {
        "Problem": Spec.parse(spec).shown,
        "Kind": ", ".join([f"{built.case} case", *([known.role] if known else []), _count(built)]),
        "Constants": _constants(built),
        "Proof": place("problem", spec) if known else "yours: the audit (claim constants) attacks them",
        "Attains": _names(_attaining(spec)) or "no bound",
        "Examined by": _examining(spec, built, known is None or known.role == "ordinary"),
    }
    proof = _paragraphs(inspect.getdoc(known.factory) or "") if known else ()
    setting = (
        f"Built for N = {SHOWN_N} inner steps and a stepsize {SHOWN_RULE.replace('cap', 'the cap')}, αL = {rule:.4g}."
    )
    title = known.summary if known else Spec.parse(spec).shown
    lines = [*_wrapped(title), "", *_entries(entries), "", *proof, setting, ""]
    return "\n".join([*lines, *sketch(built, rule / built.constants.L)])


def _count(built: Problem) -> str:
    return f"{built.number_of_tasks} task{'s' if built.number_of_tasks > 1 else ''}, d = {built.dim}"


def _constants(built: Problem) -> str:
    """The finite constants, with what was estimated and not proved."""
    values = {field.name: float(getattr(built.constants, field.name)) for field in fields(Constants)}
    shown = [
        f"{name} = {value:.6g}{' (estimated)' if name in built.estimated else ''}"
        for name, value in values.items()
        if math.isfinite(value)
    ]
    infinite = [name for name, value in values.items() if math.isinf(value)]
    return ", ".join(shown) + (f"; not bounded: {', '.join(infinite)}" if infinite else "")


def _attaining(spec: str) -> Iterator[Claim]:
    return (made for made in claims().values() if any(on.instance == spec for on in made.attained))


def _examining(spec: str, built: Problem, is_ordinary: bool) -> str:
    """Claims that run on it: the general ones where it is ordinary, and those that name it."""
    general = f"every general claim of the {built.case} case" if is_ordinary else ""
    by_name = _names(made for made in claims().values() if spec in ((made.problems or ()) + made.instances))
    return "; ".join(filter(None, (general, by_name)))


def _names(found: Iterable[Claim]) -> str:
    return ", ".join(made.name for made in found if not made.of)


def _entries(entries: Mapping[str, str]) -> Iterator[str]:
    for label, text in entries.items():
        yield from _wrapped(text, f"{label:<{LABEL}}")


def _wrapped(text: str, first: str = "") -> list[str]:
    """Lines of a text, of which the first begins as said and the others stand below."""
    width = min(shutil.get_terminal_size((WIDTH, 24)).columns, WIDTH)
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=" " * len(first), break_on_hyphens=False)


def _paragraphs(docstring: str) -> Iterator[str]:
    """The docstring without its first line, which is the title: paragraphs and items of lists, each wrapped anew."""
    for paragraph in inspect.cleandoc(docstring).split("\n\n")[1:]:
        for item in re.split(r"\n(?=- )", paragraph):
            text = " ".join(item.split()).removeprefix("- ")
            yield from _wrapped(text, "- " if item.startswith("- ") else "")
        yield ""
