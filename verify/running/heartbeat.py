"""Now and then, a line that says what takes so long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS = 30.0
TICK = 0.5
SHOWN = 4


@contextmanager
def heartbeat(busy: Callable[[], list[tuple[float, str]]], tell: Callable[[str], None]) -> Iterator[None]:
    """Tell every half minute what is still being done, of what began that long ago.

    Parameters
    ----------
    busy : what is being done: when it began (`time.monotonic`), and what it is.
    tell : told one line.
    """
    over = threading.Event()
    thread = threading.Thread(target=_beat, args=(busy, tell, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _beat(busy: Callable[[], list[tuple[float, str]]], tell: Callable[[str], None], over: threading.Event) -> None:
    last = float("-inf")
    while not over.wait(TICK):
        now = time.monotonic()
        late = sorted((began, what) for began, what in busy() if now - began >= SECONDS)
        if late and now - last >= SECONDS:
            last = now
            named = ", ".join(f"{what} ({now - began:.0f} s)" for began, what in late[:SHOWN])
            tell(f"still running: {named}" + (f" and {len(late) - SHOWN} more" if len(late) > SHOWN else ""))
