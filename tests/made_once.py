"""Folders that take long to make, once for all parallel workers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that is made by one of the parallel workers and copied by each: some tests write into it."""
    shared = factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    made = shared / f"the {name}"
    with FileLock(shared / f"the {name}.lock"):
        if not made.exists():
            new = shared / f"the {name}, unfinished"
            make(new)
            new.rename(made)
    return Path(shutil.copytree(made, factory.mktemp(name), dirs_exist_ok=True))
