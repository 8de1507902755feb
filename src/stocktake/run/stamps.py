"""Files that say what they were made from, so that those that are up to date are left alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from stocktake import __version__
from stocktake.files import sha256, write_file
from stocktake.render.theme import Theme


def stamp_of(theme: Theme, parts: Iterable[str], files: Iterable[Path] = ()) -> str:
    """The fingerprint of what a document depends on: the program, a theme with its files, other files, and other parts."""
    base = theme.folder or Path()
    own = [] if theme.logo is None else [base / theme.logo]
    if theme.font_folder is not None:
        own += sorted(p for p in (base / theme.font_folder).rglob("*") if p.is_file())
    whole = (__version__, *(sha256(file) for file in (*own, *files)), theme.model_dump_json(), *parts)
    return hashlib.sha256("\n".join(whole).encode()).hexdigest()


def note_of(path: Path) -> Path:
    """What says from which results a file was made, and what the file was then."""
    return path.with_name(f".{path.name}.made")


def is_current(path: Path, stamp: str) -> bool:
    """Whether a file is there as it was made from what the stamp stands for."""
    beside = note_of(path)
    if not path.is_file() or not beside.is_file():
        return False
    try:
        known = json.loads(beside.read_text("utf-8"))
        return bool(known == {"made_from": stamp, "sha256": sha256(path)})
    except ValueError:
        return False


def write_stamped(path: Path, content: bytes, stamp: str, root: Path) -> None:
    """Write a file inside a folder, and beside it what it was made from."""
    write_file(path, content, inside=root)
    known = {"made_from": stamp, "sha256": hashlib.sha256(content).hexdigest()}
    write_file(note_of(path), json.dumps(known) + "\n", inside=root)
