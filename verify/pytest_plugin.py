"""pytest plugin: the fixture `assert_claims`, loaded wherever the package is installed.

Nothing but pytest is imported before a test asks for the fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from verify.running.records import Record


@pytest.fixture(scope="session")
def assert_claims() -> Callable[..., list[Record]]:
    """Assert that claims of the theory hold on a problem: `assert_claims(problem, ["path", "link"], inner_steps=5)`.

    See `verify.assertion.assert_claims` for its arguments, what it returns and what it raises.
    """
    from verify.assertion import assert_claims

    return assert_claims
