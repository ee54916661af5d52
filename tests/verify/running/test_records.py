from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.validation import printable
from verify.running import environment
from verify.running.records import FLAGS, INTEGERS, REALS, TEXTS, Header, Record, plain
from verify.verdict import Finding, judge

reals = st.none() | st.floats(allow_nan=False)
witnesses = st.dictionaries(
    st.text(max_size=3),
    st.recursive(st.floats(allow_infinity=False), lambda inner: st.lists(inner, max_size=3), max_leaves=6),
)


def record(**values: Any) -> Record:
    place = {"claim": "path", "problem": "kink", "problem_spec": "kink", "N": 3, "rule": "fixed", "profile": "quick"}
    return Record(**{**place, "seed": 1, "alpha_L": 0.25, "index": 0, "checks": 1, "verdict": "vacuous", **values})


def judged(measured: float, bound: float, **values: Any) -> Record:
    """A record of these numbers."""
    limits = {name: values[name] for name in ("lower", "upper", "slack", "attained", "shortfall") if name in values}
    finding = Finding(measured=measured, bound=bound, **limits)
    numbers = {"measured": measured, "bound": bound, "slack": 0.0, "tightness": finding.tightness}
    return record(**{**numbers, **values, "verdict": judge(finding)})


@given(measured=reals, bound=reals, label=st.text(max_size=5), witness=witnesses)
def test_a_record_survives_its_line_of_strict_json(
    measured: float | None, bound: float | None, label: str, witness: Any
) -> None:
    more = {"label": printable(label), "witness": plain(witness), "estimated": ("rho",)}
    if measured is None or bound is None:
        made = record(measured=measured, bound=bound, **more)
    else:
        made = judged(measured, bound, **more)
    line = made.to_json()
    assert "\n" not in line
    assert Record.from_json(line.encode(errors="backslashreplace")) == made

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    json.loads(line, parse_constant=refuse)


def test_numbers_of_numpy_become_plain_and_nan_becomes_nothing() -> None:
    value = {"w": np.array([[1.5, np.inf], [-np.inf, np.nan]]), 3: np.int64(4), "flag": np.True_, "other": {1}}
    assert plain(value) == {"w": [[1.5, "inf"], ["-inf", None]], "3": 4, "flag": True, "other": "{1}"}


def test_a_record_names_its_cell() -> None:
    made = record(mutant="halved", label="j = 2")
    assert made.cell.mutant == "halved"
    assert not hasattr(made.cell, "verdict")
    assert made.where == "kink, N = 3, fixed, j = 2"


def changed(**values: Any) -> str:
    """The line of a record with other values in it, whatever their type."""
    return json.dumps({**json.loads(judged(1.0, 2.0).to_json()), **values})


DAMAGED = [
    "",
    "{}",
    "[]",
    "3",
    '{"claim": "path"}',
    judged(1.0, 2.0).to_json()[:-1],
    changed(more=1),
    changed(verdict="fine"),
    changed(rule="never"),
    changed(claim=["path"]),
    changed(problem=None),
    changed(note={}),
    changed(N="x"),
    changed(N=-1),
    changed(N=True),
    changed(N=10**400),
    changed(N=1.5),
    changed(index=1),
    changed(seconds=None),
    changed(seconds=True),
    changed(alpha_L=None),
    changed(measured="1"),
    changed(measured=[]),
    changed(measured=math.nan),
    changed(measured=10**400),
    changed(attained=1),
    changed(estimated="rho"),
    changed(estimated=[[]]),
    changed(witness=[]),
    changed(witness={"w": [[[[[[[[[1]]]]]]]]]}),
    changed(witness={}).replace('"witness": {}', '"witness": {"w": ' + 100_000 * "[" + 100_000 * "]" + "}"),
    changed(label="\x1b[31mred"),
    changed(problem="two\nlines"),
]


@pytest.mark.parametrize("line", DAMAGED, ids=range(len(DAMAGED)))
def test_what_is_no_record_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"^is not a record$"):
        Record.from_json(line)


@pytest.mark.parametrize(
    "values",
    [
        {"verdict": "violated"},
        {"verdict": "inapplicable"},
        {"measured": 3.0},
        {"bound": 0.5},
        {"bound": -1.0},
        {"slack": 9.0, "measured": 30.0},
        {"upper": 5.0},
        {"attained": True},
        {"tightness": 0.4},
        {"tightness": None},
        {"bound": None},
        {"measured": None, "bound": None},
    ],
)
def test_numbers_that_do_not_give_the_verdict_are_noticed(values: dict[str, Any]) -> None:
    assert Record.from_json(changed()) == judged(1.0, 2.0)
    with pytest.raises(ValueError, match=r"^was edited: its numbers do not give the verdict"):
        Record.from_json(changed(**values))


@pytest.mark.parametrize(
    ("measured", "bound", "more"),
    [
        (3.0, 2.0, {}),
        (math.inf, 2.0, {}),
        (1.0, math.inf, {}),
        (-math.inf, 2.0, {"lower": -math.inf, "upper": math.inf}),
        (1.0, 2.0, {"attained": True, "shortfall": 0.25}),
        (0.0, 0.0, {"slack": 1e-9}),
        (1.0, -1.0, {}),
    ],
)
def test_every_verdict_on_numbers_is_read_back(measured: float, bound: float, more: dict[str, Any]) -> None:
    made = judged(measured, bound, **more)
    assert Record.from_json(made.to_json()) == made


def test_every_field_of_a_record_is_examined() -> None:
    kinds = {field.name: str(field.type) for field in fields(Record)}
    for names, kind in ((TEXTS, "str"), (INTEGERS, "int"), (REALS, "float"), (FLAGS, "bool")):
        assert set(names) == {name for name, type_ in kinds.items() if type_.split(" ")[0] == kind}
        kinds = {name: type_ for name, type_ in kinds.items() if name not in names}
    assert set(kinds) == {"rule", "verdict", "witness", "estimated"}


def test_the_header_tells_what_differs() -> None:
    old = Header.new({"seed": 1, "claims": ["path", "link"], "problems": []})
    assert old.difference(Header.new({"seed": 1, "claims": ["path", "link"], "problems": []})) == ""
    assert old.difference(Header.new({"seed": 2, "claims": ["path", "link"], "problems": []})) == "seed was 1 and is 2"
    other = Header.new({"seed": 1, "claims": [], "problems": []})
    assert old.difference(other) == "claims was path, link and is not given"
    files = [Header.new({"problem files": {"mine.py": digest}}) for digest in ("a", "b")]
    assert files[0].difference(files[1]) == "problem files was mine.py (a) and is mine.py (b)"
    changed = Header(settings=old.settings, environment={**old.environment, "numpy": "1.0"})
    assert changed.difference(old).startswith("numpy was 1.0 and is ")
    newer = Header(settings={**old.settings, "tolerance": 3}, environment=old.environment)
    assert old.difference(newer) == "tolerance was not given and is 3"
    assert newer.difference(old) == "tolerance was 3 and is not given"


def test_the_commit_is_that_of_the_checkout_and_says_whether_it_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*words: str) -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *words]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    monkeypatch.setattr(environment, "ROOT", tmp_path)
    assert environment.commit() == ""
    git("init")
    (tmp_path / "file").write_text("one", encoding="utf-8")
    git("add", "file")
    git("commit", "-m", "first")
    assert environment.commit() == git("rev-parse", "HEAD")
    (tmp_path / "file").write_text("other", encoding="utf-8")
    assert environment.commit() == git("rev-parse", "HEAD") + "-dirty"


def test_the_environment_names_the_vector_instructions_that_are_used() -> None:
    """Another processor is imitated by leaving out what NumPy finds on this one."""
    found = np.show_config("dicts")["SIMD Extensions"].get("found", [])
    code = "from verify.running.environment import environment; print(environment()['vector instructions'])"
    used = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "NPY_DISABLE_CPU_FEATURES": disabled},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for disabled in ("", " ".join(found))
    ]
    assert set(found) <= set(used[0])
    assert set(used[1]) == set(used[0]) - set(found)
