"""Names of no place, for invented organisations."""

from __future__ import annotations

from importlib import resources

# What makes several names of one.
BEFORE = ("", "North ", "South ", "East ", "West ", "Upper ", "Lower ", "Old ")


def places() -> list[str]:
    """Names of no place and no trust."""
    return (resources.files("stocktake.organisations") / "places.txt").read_text("utf-8").split()


def invented_places(many: int) -> list[str]:
    """So many different names of no place; raises ValueError for more than there are."""
    names = [before + name for before in BEFORE for name in places()]
    if many > len(names):
        raise ValueError(f"{many} names wanted, {len(names)} known")
    return names[:many]
