"""A user's file with claims of its own: cheap, slow, failing, and such as kill their worker."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from verify import claim as claim_module
from verify.running.loading import load_problem
from verify.running.records import CellName

ROOT = Path(__file__).parents[2]

FAKES = '''
import math, os, signal, time
from pathlib import Path
from problems.registry import family
from theory.validation import PremiseError
from verify.evidence.intervals import RangeError
from verify.claim import Mutant, claim, own
from verify.verdict import Finding

HERE = Path(__file__).parent

def make():
    """Quadratic tasks."""
    return family("quadratic").build(1, 0.1)

def fake(name, **more):
    description = dict(says="x ≤ 1", source=own(), measured="x", formula=lambda: 1.0, at=("recommended", "fixed"))
    return claim(name, "FAKE", "fake: " + name, **{**description, **more})

def finding(measured, bound=1.0, **more):
    return Finding(measured=measured, bound=bound, **more)

@fake("constants of fakes", audit=True, at=("recommended",), inner_steps=(1,))
def audit(cell):
    wrong = (HERE / "wrong").exists() and "make" in cell.problem_name
    yield finding(2.0 if wrong else 0.5, label="rho")

HALF = Mutant("half", "quadratic", N=2, rule="fixed", formula=lambda: 0.5)
LOOSE = Mutant("loose", "quadratic", N=2, rule="fixed", formula=lambda: 2.0)
CRASHING = Mutant("crashing", "quadratic", N=2, rule="fixed", formula=lambda: 1 / 0)

@fake("fake draws", mutants=(HALF, LOOSE, CRASHING))
def draws(cell):
    for label in "ab":
        yield finding(cell.rng(label).uniform(0.6, 1), cell.formula(), label=label, witness={"w": [0.1, math.inf]})

@fake("fake slow")
def slow(cell):
    time.sleep(0.03)
    yield finding(cell.rng().uniform())

@fake("fake kill once")
def kill_once(cell):
    marker = HERE / f"killed-{cell.N}-{cell.rule}"
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    yield finding(cell.rng().uniform())

@fake("fake kill always")
def kill_always(cell):
    os.kill(os.getpid(), signal.SIGKILL)

@fake("fake error")
def error(cell):
    yield finding(0.5)
    if not (HERE / "mended").exists():
        raise ZeroDivisionError("on\\npurpose")

@fake("fake exit")
def leave(cell):
    raise SystemExit("bye")

@fake("fake vacuous")
def vacuous(cell):
    raise PremiseError("alpha is past the cap")

@fake("fake silent")
def silent(cell):
    return iter(())

@fake("fake nan")
def nan(cell):
    yield finding(math.nan)

@fake("fake range")
def out_of_range(cell):
    raise RangeError("a sample lies outside its almost-sure ball")

@fake("fake violated")
def violated(cell):
    yield finding(1.5, witness={"w": [1.5]})

@fake("fake interval")
def interval(cell):
    yield finding(1.0, lower=0.9, upper=1.1)

@fake("fake needs", needs=("b",), cases=frozenset({"finite-sum"}))
def needs(cell):
    yield finding(0.5)
'''


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget after the test the claims that it makes."""
    claim_module.claims()
    monkeypatch.setattr(claim_module, "_CLAIMS", dict(claim_module._CLAIMS))


@pytest.fixture
def fakes(tmp_path: Path, forgotten: None) -> str:
    """A user's problem, by its file, whose claims are known from here on and forgotten afterwards."""
    file = tmp_path / "fakes.py"
    file.write_text(FAKES, encoding="utf-8")
    load_problem(f"{file}:make", 1, 0.1)
    return f"{file}:make"


@pytest.fixture
def cell_of(fakes: str) -> Callable[..., CellName]:
    """A cell of a fake claim."""

    def make(claim: str, N: int = 1, rule: str = "recommended", mutant: str = "") -> CellName:
        return CellName(
            claim=claim,
            problem="fakes.py:make",
            problem_spec=fakes,
            N=N,
            rule=rule,
            profile="quick",
            seed=0,
            mutant=mutant,
        )

    return make


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Start:
    """Start `python -m verify` with some arguments, in a process group of its own."""

    def start(*args: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "verify", *map(str, args)],
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return start
