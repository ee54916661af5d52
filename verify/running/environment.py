"""The code and the machine that a run depends on."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np

from problems.losses.half_angle import KERNEL

ROOT = Path(__file__).resolve().parents[2]
DIGITS = 16


@cache
def environment() -> dict[str, str]:
    """Code, versions and machine on which the digits of a result may depend."""
    versions = {name: metadata.version(name) for name in ("numpy", "scipy")}
    return {
        "version": own_version(),
        "code": own_code(),
        "python": platform.python_version(),
        **versions,
        "platform": f"{platform.system()} {platform.machine()}",
        "vector instructions": _vector_instructions(),
        "tangent": KERNEL.name,
    }


def own_code() -> str:
    """Digest of the source of all that a cell executes, whether or not it is committed."""
    files = sorted(path for name in ("theory", "problems", "verify") for path in (ROOT / name).rglob("*.py"))
    together = hashlib.sha256()
    for path in files:
        together.update(f"{path.relative_to(ROOT).as_posix()}\0".encode() + path.read_bytes())
    return together.hexdigest()[:DIGITS]


def digest(data: bytes) -> str:
    """Digest of a file."""
    return hashlib.sha256(data).hexdigest()[:DIGITS]


def _vector_instructions() -> str:
    """SIMD extensions that NumPy uses on this machine: last digits depend on them."""
    used = np.show_config("dicts")["SIMD Extensions"]
    return " ".join([*used["baseline"], *used.get("found", [])])


def own_version() -> str:
    """Version of this package; "not installed" where it runs from a mere directory."""
    try:
        return metadata.version("maml-theory-verification")
    except metadata.PackageNotFoundError:
        return "not installed"


def commit() -> str:
    """Commit of the checkout that runs, with "-dirty" where it was changed; "" outside a checkout."""
    if not (ROOT / ".git").exists():
        return ""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*", "--abbrev=40"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
