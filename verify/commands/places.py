"""Where the results of a run go, and which results are meant, where no directory is named."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import click

from verify.running.records import RECORDS

RESULTS = Path("results")
out_option = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Results directory. Default: results, or the next of results-2, results-3, … that is free.",
)


def free(records: str = RECORDS) -> Path:
    """Return the first of `results`, `results-2`, `results-3`, … that holds no records of this name."""
    return next(place for place in _numbered() if not (place / records).exists())


def latest(records: str = RECORDS) -> Path:
    """Return the one of them whose records were written to last; `results` where none holds any."""
    held = [path for place in (RESULTS, *Path().glob(f"{RESULTS}-[0-9]*")) if (path := place / records).is_file()]
    return max(held, key=lambda path: path.stat().st_mtime_ns).parent if held else RESULTS


def _numbered() -> Iterator[Path]:
    yield RESULTS
    yield from (Path(f"{RESULTS}-{number}") for number in count(2))
