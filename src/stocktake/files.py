"""How files and folders are written: whole or not at all, inside their own folder, with nothing left over."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stocktake.problems import StocktakeError

Content = bytes | str | Callable[[Path], object]

# Called before each step that changes the disk, with the step's name and the path; tests use it to stop a run there.
before_step: Callable[[str, Path], None] | None = None

LOCK = ".stocktake.lock"


def _step(name: str, path: Path) -> None:
    if before_step is not None:
        before_step(name, path)


def write_file(path: Path, content: Content, *, inside: Path | None = None) -> Path:
    """Write one file: bytes, text (UTF-8), or a call that writes to the path it is given. Returns the path.

    The content goes to a temporary file beside the target and takes its name when it is complete. `inside` is
    the folder that the file must not leave, the target's own by default. Raises StocktakeError for a path outside
    it, and OSError where the disk refuses.
    """
    folder = path.parent if inside is None else inside
    if not _within(path, folder):
        raise StocktakeError(f"{path.name}: this file would be written outside {folder}; nothing was written.")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    for old in path.parent.glob(f".{_literal(path.name)}.*.part"):
        # What a run that was stopped has left; the folder's lock keeps other runs away.
        _remove_file(old)
    try:
        _step("write", path)
        if callable(content):
            content(temporary)
        elif isinstance(content, str):
            temporary.write_bytes(content.encode("utf-8"))
        else:
            temporary.write_bytes(content)
        _step("replace", path)
        temporary.replace(path)
    except BaseException:
        _remove_file(temporary)
        raise
    return path


def _literal(name: str) -> str:
    """A name as a glob pattern that matches nothing else."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _remove_file(path: Path) -> None:
    _step("remove", path)
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _within(path: Path, folder: Path) -> bool:
    """Whether a path, its links followed, lies in a folder."""
    # The target itself may be a link; it is replaced, not followed.
    return (path.parent.resolve() / path.name).is_relative_to(folder.resolve())


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A new folder beside `target`, which takes its place in one step when the block ends without an error.

    Whoever calls holds the lock of the folder that `target` is in. After an error, or a process that was killed,
    the old folder is there as it was.
    """
    if target.exists() and not target.is_dir():
        raise StocktakeError(f"{target}: there is a file where a folder is to be written; move it away.")
    recover(target)
    fresh = _fresh(target)
    _remove_folder(fresh)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        _swap(fresh, target)
    except BaseException:
        _remove_folder(fresh)
        raise


def _fresh(target: Path) -> Path:
    return target.with_name(f".{target.name}.new")


def _old(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


def recover(target: Path) -> None:
    """Finish or undo what a killed process left of a replacement: the old folder is there again, or is removed."""
    old = _old(target)
    if old.exists() and not target.exists():
        old.rename(target)
    _remove_folder(old)
    _remove_folder(_fresh(target))


def interrupted(target: Path) -> bool:
    """Whether a folder is missing because a process was killed while it was being replaced."""
    return _old(target).exists() and not target.exists()


def _remove_folder(path: Path) -> None:
    if path.exists():
        _step("remove folder", path)
        shutil.rmtree(path, ignore_errors=True)


def _swap(fresh: Path, target: Path) -> None:
    _step("swap", target)
    if not target.exists():
        fresh.rename(target)
        return
    if not _exchange(fresh, target):
        old = _old(target)
        target.rename(old)
        _step("swap half done", target)
        fresh.rename(target)
        fresh = old
    _remove_folder(fresh)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where this system or file system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    here, flag = -100, 2  # AT_FDCWD and RENAME_EXCHANGE
    return int(exchange(here, os.fsencode(one), here, os.fsencode(other), flag)) == 0


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the one right to write in a folder; the system takes it back from a process that ends in any way.

    A process may hold it more than once. Raises StocktakeError where another process holds it.
    """
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, is_singleton=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StocktakeError(
            f"{folder}: another stocktake command is writing here; try again when it has ended."
        ) from None
    try:
        yield
    finally:
        lock.release()


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
