"""Speed, by `python -m pytest tests/benchmarks`: one thread, and one table of times and ratios at the end.

Nothing here fails for being slow: a shared machine proves nothing by one time. Peers must agree in value, though.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.rates import Rates, measure_rates
from verify.running.threads import one_thread

LINES = pytest.StashKey[list[str]]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Begin the table, and keep that of pytest-benchmark as narrow as a terminal."""
    config.stash[LINES] = []
    config.option.benchmark_columns = ["min", "median", "max", "rounds"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Peers may warn about themselves."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("default"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table, and what was left out of it."""
    terminalreporter.section("least times and their ratios (one thread)")
    left_out = {report.longrepr[2] for report in terminalreporter.stats.get("skipped", [])}
    for line in [*config.stash[LINES], *sorted(left_out)]:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session", autouse=True)
def single_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="session")
def rates(single_thread: None, request: pytest.FixtureRequest) -> Rates:
    """Rates of this machine, measured in this run."""
    measured = measure_rates()
    request.config.stash[LINES].append(str(measured))
    return measured


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Add a line to the table at the end."""
    return request.config.stash[LINES].append
