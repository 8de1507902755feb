"""The rules of disclosure control, as settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from stocktake.definitions import Part


class Rules(Part):
    """What the editions print and what must not be worked out from it; see docs/disclosure.md.

    Which numbers of people are too small is the method's `minimum_base`.
    """

    decimals: int = Field(1, ge=0, le=6, description="decimals of scores, limits, differences and z in every edition")
    group_rounding: int = Field(
        10,
        ge=1,
        le=1000,
        description="numbers of people in a service group are rounded to a multiple of this; 1 for none",
    )
    minimum_count: int = Field(5, ge=1, le=100, description="a percentage of fewer people than this is not printed")
    protect_people: int = Field(
        5, ge=1, description="a withheld number of people must remain uncertain by at least this many"
    )
    protect_score: float = Field(
        1.0, gt=0, description="a withheld score must remain uncertain by at least so many score points"
    )
    complementary: bool = Field(
        True, description="withhold further figures where the others would give a withheld one away"
    )
    on_risk: Literal["refuse", "warn"] = Field(
        "refuse", description="what becomes of editions from which a withheld figure could be worked out"
    )


def rules_of(provenance: Mapping[str, Any]) -> Rules | None:
    """The rules that results were made under; None for a published workbook, whose figures are public already."""
    run = provenance.get("run", {})
    return None if run.get("workbook") is not None else Rules.model_validate(run.get("disclosure", {}))
