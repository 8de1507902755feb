"""The cores of this machine, for tests whose worker has been given one of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

EVERY_CORE = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


@contextlib.contextmanager
def on_every_core() -> Iterator[None]:
    """Within the block this process, and those that it starts, may run on every core."""
    if not EVERY_CORE:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(EVERY_CORE))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
