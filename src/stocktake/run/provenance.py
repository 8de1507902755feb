"""Where results come from."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from stocktake.results import sha256
from stocktake.run.settings import Settings
from stocktake.survey.instrument import Survey
from stocktake.survey.wave import Wave

# What the figures depend on; the rest of the machine does not matter to them.
VERSIONS = ("stocktake", "polars", "numpy", "scipy", "typst")


def provenance(survey: Survey, settings: Settings, inputs: Mapping[str, str], waves: Sequence[Wave]) -> dict[str, Any]:
    """Where results come from: inputs with their SHA-256, the instrument, every setting, and versions."""
    return {
        "survey": survey.code,
        "instrument_sha256": instrument_digest(survey),
        "inputs": dict(sorted(inputs.items())),
        "settings": survey.method.model_dump(),
        "not_comparable": [x.model_dump() for x in settings.not_comparable],
        "waves": [
            {"year": w.year, "rows": w.rows, "set_aside": w.set_aside, "findings": w.findings.height} for w in waves
        ],
        "versions": {name: version(name) for name in VERSIONS},
        "python": platform.python_version(),
    }


def instrument_digest(survey: Survey) -> str:
    """The SHA-256 of an instrument with its settings."""
    return hashlib.sha256(survey.model_dump_json().encode()).hexdigest()


def stale(provenance: Mapping[str, Any], survey: Survey, settings: Settings, folder: Path) -> list[str]:
    """What has changed in a folder since its results were made: files by name, and 'the instrument or its settings'."""
    changed = [
        name
        for name, digest in provenance["inputs"].items()
        if (folder / name).is_file() and sha256(folder / name) != digest
    ]
    if provenance["instrument_sha256"] != instrument_digest(survey):
        changed.append("the instrument or its settings")
    if provenance["not_comparable"] != [x.model_dump() for x in settings.not_comparable]:
        changed.append("not_comparable in survey.yaml")
    return changed
