"""The schemas that editors and readers use: of the files a user writes, and of the tables a run yields."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from stocktake.audit.claims import Claims
from stocktake.audit.commentary import Commentary
from stocktake.audit.specification import Specification
from stocktake.render.theme import Theme
from stocktake.results.schemas import KINDS
from stocktake.run.collection import AuditSettings
from stocktake.run.settings import Settings
from stocktake.survey.instrument import Survey
from stocktake.trends.definition import TrendSettings

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(what: str) -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) of a definition file, by its kind; for results, each table's columns."""
    if what == "results":
        return {
            table: {name: {"type": str(kind), "description": text} for name, (kind, text) in columns.items()}
            for tables in KINDS.values()
            for table, columns in tables.items()
        }
    models: dict[str, type[BaseModel]] = {
        "instrument": Survey,
        "survey": Settings,
        "theme": Theme,
        "specification": Specification,
        "claims": Claims,
        "audit": AuditSettings,
        "commentary": Commentary,
        "trends": TrendSettings,
    }
    return {"$schema": DRAFT, **models[what].model_json_schema()}
