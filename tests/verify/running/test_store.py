from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from verify.running.evaluation import evaluate
from verify.running.records import RECORDS, CellName, Header, Record, Run, RunError, header_path, read
from verify.running.store import Store, write_text

Cells = list[list[Record]]
Opened = Callable[..., AbstractContextManager[Store]]
Write = Callable[..., None]
HEADER = replace(Header.new({"seed": 0}), started="2026-11-24T10:00:00+00:00")  # tests are named by its text
OLD = replace(HEADER, format=2).to_json() + "\n"
"""The first line of a file of records as an earlier version wrote it."""


@pytest.fixture
def cells(cell_of: Callable[..., CellName]) -> Cells:
    return [evaluate(cell_of("fake draws", N)) for N in (1, 2, 5)]


@pytest.fixture
def opened(cells: Cells, cell_of: Callable[..., CellName]) -> Opened:
    """A store of a run of these cells, and of one that fails, which has begun."""

    @contextmanager
    def opened(directory: Path, header: Header = HEADER, **how: Any) -> Iterator[Store]:
        with Store(directory, **how) as store:
            store.begin(header, [*(records[0].cell for records in cells), cell_of("fake error")])
            yield store

    return opened


@pytest.fixture
def write(opened: Opened) -> Callable[..., None]:
    """Write records into a store."""

    def write(directory: Path, cells: Cells, header: Header = HEADER, **how: Any) -> None:
        with opened(directory, header, **how) as store:
            for cell in cells:
                store.append(cell)

    return write


def test_what_is_written_is_read(tmp_path: Path, cells: Cells, write: Write) -> None:
    write(tmp_path / "a" / "b", cells)
    run = read(tmp_path / "a" / "b")
    assert list(run.records) == [*chain(*cells)]
    assert (run.header, run.torn) == (HEADER, False)


def test_each_record_is_on_disk_at_once(tmp_path: Path, cells: Cells, opened: Opened) -> None:
    with opened(tmp_path) as store:
        assert read(tmp_path).records == ()
        store.append(cells[0])
        assert list(read(tmp_path).records) == cells[0]


def test_a_torn_last_line_costs_its_cell_only(tmp_path: Path, cells: Cells, write: Write, opened: Opened) -> None:
    write(tmp_path, cells)
    path = tmp_path / RECORDS
    whole = path.read_bytes()
    told: list[str] = []
    for cut in (1, 10, 400):
        path.write_bytes(whole[:-cut])
        with opened(tmp_path, resume=True, warn=told.append) as store:
            assert store.kept == [*chain(*cells[:2])]
        assert told.pop() == f"dropped the torn last line of {path}"
        assert list(read(path).records) == [*chain(*cells[:2])]  # the torn line is gone from the file


def test_a_cell_of_which_a_check_is_missing_is_not_kept(
    tmp_path: Path, cells: Cells, write: Write, opened: Opened
) -> None:
    write(tmp_path, [cells[0], cells[1][:1]])
    with opened(tmp_path, resume=True) as store:
        assert store.kept == cells[0]


def test_errors_are_not_kept(
    tmp_path: Path, cells: Cells, cell_of: Callable[..., CellName], write: Write, opened: Opened
) -> None:
    error = evaluate(cell_of("fake error"))
    assert [record.verdict for record in error] == ["holds", "error"]
    write(tmp_path, [error, cells[0]])
    with opened(tmp_path, resume=True) as store:
        assert store.kept == cells[0]


def test_a_run_is_neither_mixed_nor_replaced_unasked(tmp_path: Path, cells: Cells, write: Write) -> None:
    write(tmp_path, cells)
    with pytest.raises(ValueError, match=r"holds the records of a run: go on with --resume, replace .* --overwrite"):
        write(tmp_path, cells[:1])
    assert len(read(tmp_path).records) == 6
    write(tmp_path, cells[:1], overwrite=True)
    assert len(read(tmp_path).records) == 2


def test_a_run_that_goes_on_was_begun_when_it_was_begun(tmp_path: Path, cells: Cells, write: Write) -> None:
    write(tmp_path, cells[:1])
    write(tmp_path, cells[1:], replace(HEADER, started="later"), resume=True)
    run = read(tmp_path)
    assert (run.header, len(run.records)) == (HEADER, 6)


def test_other_settings_or_another_version_cannot_be_resumed(tmp_path: Path, cells: Cells, write: Write) -> None:
    write(tmp_path, cells)
    before = (tmp_path / RECORDS).read_bytes()
    for header, difference in (
        (replace(HEADER, settings={"seed": 7}), "seed was 0 and is 7"),
        (replace(HEADER, environment={**HEADER.environment, "version": "9"}), r"version was .* and is 9"),
    ):
        with pytest.raises(ValueError, match=rf"cannot be resumed: {difference} \(--overwrite starts again\)"):
            write(tmp_path, [], header, resume=True)
    assert (tmp_path / RECORDS).read_bytes() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no records"),
        ("torn", "holds no records"),
        ("nonsense\n", "holds no header"),
        ("[1]\n", "holds no header"),
        ('{"format": 2, "settings": [], "environment": {}}\n', "holds no header"),
        ('{"format": 99}\n', "has format 99, written by another version; this one reads format 3"),
        (OLD + "nonsense\n", "is damaged: line 2 is not a record"),
        (OLD + "{}\n", "is damaged: line 2 is not a record"),
        (OLD.replace('"started": "', '"started": [], "x": "'), "holds no header"),
        ('{"format": 2, "settings": ' + 100_000 * '{"x":' + "\n", "holds no header"),
    ],
)
def test_a_foreign_file_is_one_clear_line(tmp_path: Path, text: str, message: str, opened: Opened) -> None:
    (tmp_path / RECORDS).write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        Store(tmp_path, resume=True)
    assert "\n" not in str(caught.value)
    assert (tmp_path / RECORDS).read_text() == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no header"),
        ("{}", "holds no header"),
        (OLD, "records.header.json has format 2, written by another version; this one reads format 3"),
        (HEADER.to_json().replace('"settings"', '"set"'), "holds no header"),
    ],
)
def test_a_damaged_header_is_one_clear_line(
    tmp_path: Path, text: str, message: str, cells: Cells, write: Write
) -> None:
    write(tmp_path, cells)
    header_path(tmp_path / RECORDS).write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)


def test_every_line_of_the_records_is_one_check_and_the_header_lies_beside_them(
    tmp_path: Path, cells: Cells, write: Write
) -> None:
    write(tmp_path, cells)
    lines = (tmp_path / RECORDS).read_text(encoding="utf-8").splitlines()
    assert [Record.from_json(line) for line in lines] == [*chain(*cells)]
    assert header_path(tmp_path / RECORDS).read_text(encoding="utf-8") == HEADER.to_json() + "\n"


def test_records_of_the_format_before_are_read(tmp_path: Path, cells: Cells, write: Write) -> None:
    write(tmp_path, cells)
    header_path(tmp_path / RECORDS).unlink()
    (tmp_path / RECORDS).write_text(OLD + (tmp_path / RECORDS).read_text(encoding="utf-8"), encoding="utf-8")
    assert read(tmp_path) == Run(HEADER, (*chain(*cells),))


def test_a_new_run_leaves_no_records_under_the_header_of_another(
    tmp_path: Path, cells: Cells, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, cells)
    monkeypatch.setattr(Store, "_write_anew", lambda store, records: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(ValueError, match=r"cannot write .*records.jsonl: full"):
        write(tmp_path, cells, replace(HEADER, settings={"seed": 3}), overwrite=True)
    assert not (tmp_path / RECORDS).exists()


def test_two_runs_cannot_write_to_one_directory(tmp_path: Path, cells: Cells, opened: Opened) -> None:
    with opened(tmp_path) as store:
        for how in ({}, {"resume": True}, {"overwrite": True}):
            with pytest.raises(ValueError, match="another run is writing to"):
                Store(tmp_path, **how)
        store.append(cells[0])
    with opened(tmp_path, resume=True) as store:
        assert store.kept == cells[0]


def test_a_failure_to_begin_releases_the_directory(tmp_path: Path, cells: Cells, write: Write, opened: Opened) -> None:
    write(tmp_path, cells)
    with pytest.raises(ValueError, match="holds the records"):
        Store(tmp_path)
    write(tmp_path, [], resume=True)


def test_an_unwritable_directory_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"cannot write to .*: Not a directory"):
        Store(tmp_path / "file" / "results")
    (tmp_path / "closed").mkdir(mode=0o500)
    if os.geteuid() != 0:  # root may write anywhere
        with pytest.raises(ValueError, match=r"cannot write to .*: Permission denied"):
            Store(tmp_path / "closed")


def test_a_report_that_cannot_be_written_says_that_the_records_are_kept(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(RunError, match=r"cannot write .*report.html: .*; all records are kept: .* with --resume$"):
        write_text(tmp_path / "report.html", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_full_disk_loses_nothing_that_was_written(
    tmp_path: Path, cells: Cells, monkeypatch: pytest.MonkeyPatch, write: Write, opened: Opened
) -> None:
    with opened(tmp_path) as store:
        store.append(cells[0])

        class Full:
            """Takes ten bytes of the next line and no more."""

            def __init__(self) -> None:
                self.room = 10

            def write(self, data: bytes) -> int:
                if self.room == 0:
                    raise OSError(28, "No space left on device")
                done = file.write(data[: self.room])
                self.room -= done
                return done

            def close(self) -> None:
                file.close()

        file = store._file
        monkeypatch.setattr(store, "_file", Full())
        with pytest.raises(RunError, match=r"No space left on device; the 2 checks before are kept: make room, then"):
            store.append(cells[1])
    run = read(tmp_path)
    assert list(run.records) == cells[0]
    assert run.torn


def test_the_order_of_the_file_can_be_changed_at_the_end(tmp_path: Path, cells: Cells, opened: Opened) -> None:
    with opened(tmp_path) as store:
        for cell in cells:
            store.append(cell)
        store.end([*chain(*reversed(cells))])
    assert list(read(tmp_path).records) == [*chain(*reversed(cells))]


@pytest.mark.parametrize("replaced", [False, True])
def test_a_directory_that_is_removed_during_the_run_is_found_at_once(
    tmp_path: Path, cells: Cells, opened: Opened, replaced: bool
) -> None:
    out = tmp_path / "out"
    with opened(out) as store:
        store.append(cells[0])
        shutil.rmtree(out)
        if replaced:
            out.mkdir()
            (out / RECORDS).touch()
        with pytest.raises(RunError, match=r"records.jsonl was removed or replaced during the run"):
            store.append(cells[1])
        with pytest.raises(RunError, match=r"records.jsonl was removed or replaced during the run"):
            store.end([])


def test_records_of_cells_that_the_run_does_not_have_are_found_at_the_start(
    tmp_path: Path, cells: Cells, write: Write
) -> None:
    write(tmp_path, cells)
    before = (tmp_path / RECORDS).read_bytes()
    with (
        Store(tmp_path, resume=True) as store,
        pytest.raises(ValueError, match=r"is damaged: it has fake draws on .*, N = 5, .*, which is outside the run$"),
    ):
        store.begin(HEADER, [records[0].cell for records in cells[:2]])
    assert (tmp_path / RECORDS).read_bytes() == before


def test_a_check_that_is_there_twice_is_damage(tmp_path: Path, cells: Cells, write: Write) -> None:
    write(tmp_path, cells)
    path = tmp_path / RECORDS
    path.write_bytes(path.read_bytes() + path.read_bytes().splitlines(keepends=True)[-1])
    with pytest.raises(ValueError, match=r"is damaged: line 7 repeats a check$"):
        read(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
def test_a_pipe_in_place_of_a_file_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / RECORDS)
    for path in (tmp_path, tmp_path / RECORDS):
        with pytest.raises(ValueError, match=r"cannot read .*records.jsonl: it is no regular file"):
            read(path)
    with pytest.raises(ValueError, match="no regular file"):
        Store(tmp_path, resume=True)


@pytest.mark.parametrize("name", [5000 * "x", 200 * "x/" + 5000 * "y"])
def test_a_name_that_no_file_can_have_is_one_clear_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"cannot read .*: File name too long"):
        read(tmp_path / name)
    with pytest.raises(ValueError, match=r"cannot write to .*: File name too long"):
        Store(tmp_path / name)
