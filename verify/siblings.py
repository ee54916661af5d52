"""The packages lie side by side: each is loaded from there, whatever directory of its name comes first on the path."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def load_sibling(name: str) -> None:
    """Load the package `name` that lies beside this one, where Python would find another one or none.

    Raises
    ------
    ImportError : one line, where another package of this name has been imported already.
    """
    place = ROOT / name / "__init__.py"
    loaded = sys.modules.get(name)
    found = importlib.util.find_spec(name) if loaded is None else loaded.__spec__
    if found is not None and found.origin is not None and Path(found.origin).resolve() == place:
        return
    if loaded is not None:
        where = getattr(loaded, "__file__", None) or ", ".join(loaded.__path__)
        raise ImportError(f"this project needs its own package {name}, but another one was imported: {where}")
    spec = importlib.util.spec_from_file_location(name, place)
    if spec is None or spec.loader is None:
        raise ImportError(f"there is no package {place.parent}")
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
