"""Where results come from."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from stocktake.run.settings import Settings
from stocktake.survey.instrument import Survey
from stocktake.survey.wave import Wave

# What the figures depend on; the rest of the machine does not matter to them.
VERSIONS = ("stocktake", "polars", "numpy", "scipy", "typst")


def provenance(survey: Survey, settings: Settings, inputs: Mapping[str, str], waves: Sequence[Wave]) -> dict[str, Any]:
    """Where results come from: inputs with their SHA-256, the instrument, every setting, and versions."""
    text = survey.model_dump_json()
    return {
        "survey": survey.code,
        "instrument_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "inputs": dict(sorted(inputs.items())),
        "settings": survey.method.model_dump(),
        "not_comparable": [x.model_dump() for x in settings.not_comparable],
        "waves": [
            {"year": w.year, "rows": w.rows, "set_aside": w.set_aside, "findings": w.findings.height} for w in waves
        ],
        "versions": {name: version(name) for name in VERSIONS},
        "python": platform.python_version(),
    }
