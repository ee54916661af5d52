"""The machine and the code that a run depends on."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path


@cache
def environment() -> dict[str, str]:
    """Versions and machine on which the digits of a result may depend."""
    versions = {name: metadata.version(name) for name in ("numpy", "scipy")}
    return {
        "version": own_version(),
        "commit": _commit(),
        "python": platform.python_version(),
        **versions,
        "platform": f"{platform.system()} {platform.machine()}",
    }


def own_version() -> str:
    """Version of this package; "not installed" where it runs from a mere directory."""
    try:
        return metadata.version("maml-theory-verification")
    except metadata.PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """Commit of the checkout that runs, with "-dirty" where it was changed; "" outside a checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*", "--abbrev=40"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
