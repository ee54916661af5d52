"""How a user names what is to be loaded: a registered name, `FILE.py:NAME`, `package.module:NAME` or `FILE.json`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from theory.validation import printable

FILES = (".py", ".json")


@dataclass(frozen=True)
class Spec:
    """A name that a user gave, taken apart.

    Attributes
    ----------
    text : as it was given.
    place : full path of the file, or the module; "" for a registered name.
    name : the name in the file or module, "" where none is given; or the registered name.
    """

    text: str
    place: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Take a name apart; nothing is looked up.

        >>> Spec.parse("package.module:waves")
        Spec(text='package.module:waves', place='package.module', name='waves')
        """
        place, _, name = (text, ":", "") if text.endswith(FILES) else text.rpartition(":")
        if place.endswith(FILES):
            place = str(Path(os.path.expanduser(place)).resolve())
        return cls(text, place, name) if place else cls(text, "", text)

    @property
    def file(self) -> Path | None:
        """The file that is named, if it is one."""
        return Path(self.place) if self.place.endswith(FILES) else None

    @property
    def is_drawn(self) -> bool:
        """Whether it is a file with losses that are drawn, and no code."""
        return self.place.endswith(".json")

    @property
    def shown(self) -> str:
        """The name by which records and tables call it: it does not depend on where the file lies."""
        return printable(self.text if self.file is None else self._named(self.file.name))

    @property
    def full(self) -> str:
        """The name by which any process finds it, whatever its working directory."""
        return self.text if self.file is None else self._named(self.place)

    def _named(self, file: str) -> str:
        return file if self.is_drawn else f"{file}:{self.name}"
