"""What a folder holds, by the file of settings in it: asked by every command before anything larger is loaded."""

from __future__ import annotations

from pathlib import Path

from stocktake.trends import FILE as TRENDS

AUDIT = "audit.yaml"


def is_collection(folder: Path) -> bool:
    """Whether a folder holds a collection rather than a survey."""
    return (folder / AUDIT).is_file()


def is_trends(folder: Path) -> bool:
    """Whether a folder holds trends rather than one survey."""
    return (folder / TRENDS).is_file()
