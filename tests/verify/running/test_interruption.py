"""Runs that are killed, interrupted or out of disk: nothing is lost, and `--resume` ends where they would have."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from verify.running.records import RECORDS, read

Start = Callable[..., subprocess.Popen[str]]
Launch = Callable[..., subprocess.Popen[str]]
SLOW = ("--claim", "fake slow", "--inner-steps", "0,1,2,3,4,5,6,7")
CELLS = 16  # two stepsize rules at each N; the audits come on top
TIMEOUT = 120


@pytest.fixture
def launch(start: Start, fakes: str) -> Iterator[Launch]:
    """Start the slow run into a directory, as from a terminal: a shell's background jobs would ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda out, *more: start("run", *SLOW, "--problem", fakes, "--out", out, *more)
    signal.signal(signal.SIGINT, before)


def lines_of(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for_lines(process: subprocess.Popen[str], path: Path, count: int) -> None:
    while lines_of(path) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def finish(process: subprocess.Popen[str]) -> str:
    _, error = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, error
    return error


def said(error: str) -> list[str]:
    """Lines on standard error, without those that a slow machine adds."""
    return [line for line in error.splitlines() if not re.fullmatch(r"\d+ of \d+ cells after \d+ s", line)]


def untimed(directory: Path) -> tuple[object, ...]:
    run = read(directory)
    return (run.header.settings, *(replace(record, seconds=0.0) for record in run.records))


def slow_records(directory: Path) -> int:
    return sum(record.claim == "fake slow" for record in read(directory).records)


def wait_for_end_of_group(process: subprocess.Popen[str]) -> None:
    """Wait until no process of the group is left, workers included: they close their pipes before they are gone."""
    listed = ["ps", "-o", "state=", "--sid", str(process.pid)]
    deadline = time.monotonic() + TIMEOUT
    while any(state != "Z" for state in subprocess.run(listed, capture_output=True, text=True).stdout.split()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(("jobs", "kills"), [(1, (1, 7, 14)), (2, (8, 14))])
def test_a_run_killed_again_and_again_ends_like_an_uninterrupted_one(
    launch: Launch, tmp_path: Path, jobs: int, kills: tuple[int, ...]
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    uninterrupted = launch(whole, "--jobs", 1)
    for lines in kills:
        process = launch(killed, "--jobs", jobs, "--resume")
        wait_for_lines(process, killed / RECORDS, lines)
        process.kill()
        process.communicate(timeout=TIMEOUT)
        assert process.returncode == -signal.SIGKILL
        wait_for_end_of_group(process)
    before = read(killed).records
    finish(launch(killed, "--jobs", jobs, "--resume"))
    finish(uninterrupted)
    assert len(before) >= kills[-1] - 1
    assert {record.to_json() for record in before} <= {record.to_json() for record in read(killed).records}
    assert untimed(killed) == untimed(whole)
    assert slow_records(whole) == CELLS


def test_a_torn_line_is_dropped_with_a_warning(launch: Launch, tmp_path: Path) -> None:
    finish(launch(tmp_path / "out", "--jobs", 1))
    whole = untimed(tmp_path / "out")
    path = tmp_path / "out" / RECORDS
    path.write_bytes(path.read_bytes()[:-100])
    error = finish(launch(tmp_path / "out", "--jobs", 1, "--resume"))
    assert said(error) == [f"warning: dropped the torn last line of {path}"]
    assert untimed(tmp_path / "out") == whole


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_stops_the_workers_and_says_how_to_go_on(launch: Launch, tmp_path: Path, jobs: int) -> None:
    out = tmp_path / "out"
    process = launch(out, "--jobs", jobs)
    wait_for_lines(process, out / RECORDS, 4)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, error = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130
    assert said(error) == [
        f"error: interrupted; finished checks are kept in {out}: the same command with --resume goes on"
    ]
    wait_for_end_of_group(process)
    assert len(read(out).records) >= 3
    assert slow_records(out) < CELLS
    finish(launch(out, "--jobs", jobs, "--resume"))
    assert slow_records(out) == CELLS


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_full_disk_is_one_line_and_loses_nothing(fakes: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8000, resource.RLIM_INFINITY));"
        "from verify.commands.main import cli; cli(sys.argv[1:])"
    )
    arguments = ["run", *SLOW, "--problem", fakes, "--out", str(out), "--jobs", "1"]
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 3, done.stderr
    (line,) = said(done.stderr)
    kept = len(read(out).records)
    assert line.startswith(f"error: cannot write {out / RECORDS}: File too large; the {kept} checks before are kept:")
    assert kept > 0
    assert slow_records(out) < CELLS
    assert read(out).torn


def test_two_runs_in_one_directory(launch: Launch, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = launch(out, "--jobs", 1)
    wait_for_lines(first, out / RECORDS, 1)
    os.killpg(first.pid, signal.SIGSTOP)  # or it might be over before the second has begun
    second = launch(out, "--jobs", 1, "--overwrite")
    _, error = second.communicate(timeout=TIMEOUT)
    os.killpg(first.pid, signal.SIGCONT)
    assert second.returncode == 2
    assert said(error) == [f"error: another run is writing to {out}: wait for it, or choose another --out"]
    finish(first)
    assert slow_records(out) == CELLS
