"""pytest plugin: the fixtures `assert_claims` and `assert_meta_gradient`, loaded wherever the package is installed.

It is a module outside the packages, whose names a project may use itself, and imports nothing but pytest before a test
asks for a fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from verify.implementation.check import Result
    from verify.running.records import Record


@pytest.fixture(scope="session")
def assert_claims() -> Callable[..., list[Record]]:
    """Assert that claims of the theory hold on a problem: `assert_claims(problem, ["path", "link"], inner_steps=5)`.

    See `verify.assertion.assert_claims` for its arguments, what it returns and what it raises.
    """
    try:
        from verify.assertion import assert_claims
    except ImportError as error:  # a module of the project may have the name of one of our packages
        pytest.fail(f"assert_claims cannot be loaded: {error}", pytrace=False)
    return assert_claims


@pytest.fixture(scope="session")
def assert_meta_gradient() -> Callable[..., Result]:
    """Assert that a function computes the meta-gradient of MAML: `assert_meta_gradient(mine, framework="torch")`.

    See `verify.implementation.assertion.assert_meta_gradient` for its arguments, what it returns and what it raises.
    """
    try:
        from verify.implementation.assertion import assert_meta_gradient
    except ImportError as error:  # a module of the project may have the name of one of our packages
        pytest.fail(f"assert_meta_gradient cannot be loaded: {error}", pytrace=False)
    return assert_meta_gradient
