"""What results were made from, and what has changed since."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any

from stocktake.files import sha256
from stocktake.run.settings import Settings
from stocktake.survey.instrument import Survey
from stocktake.survey.parquet import parquet_files
from stocktake.survey.wave import Wave

# What the figures depend on; the rest of the machine does not matter to them.
VERSIONS = ("stocktake", "polars", "numpy", "scipy", "typst")


def provenance(survey: Survey, settings: Settings, inputs: Mapping[str, Any], waves: Sequence[Wave]) -> dict[str, Any]:
    """What results were made from: inputs by role with their SHA-256, the instrument, every setting, and versions."""
    return {
        "survey": survey.code,
        "instrument_sha256": instrument_digest(survey),
        "inputs": dict(sorted(inputs.items())),
        "settings": survey.method.model_dump(),
        "run": run_settings(settings),
        "waves": [
            {"year": w.year, "rows": w.rows, "set_aside": w.set_aside, "findings": w.findings.height} for w in waves
        ],
        "versions": {name: version(name) for name in VERSIONS},
        "python": platform.python_version(),
    }


def run_settings(settings: Settings) -> dict[str, Any]:
    """What of survey.yaml the figures depend on; contact, notice, theme and comments change documents alone."""
    return settings.model_dump(
        mode="json",
        include={"waves", "not_comparable", "disclosure", "workbook", "organisations"},
        # What people wrote is no part of the results.
        exclude={"waves": {"__all__": {"comments"}}},
    )


def roles(settings: Settings) -> dict[str, str]:
    """The files that a folder's results rest on, by what each is for."""
    if settings.workbook is not None:
        return {"workbook": settings.workbook}
    out = {"organisations": settings.organisations}
    for wave in settings.waves:
        for role in ("responses", "sample", "counts", "organisations"):
            # What a database or an address held cannot be compared afterwards; survey.yaml says what was asked.
            name = wave.file(role)
            if name is not None:
                out[f"{role} {wave.year}"] = name
    return out


def inputs_of(folder: Path, settings: Settings) -> dict[str, dict[str, str]]:
    """Name (without its folder) and SHA-256 of every file by role."""
    return {
        role: {"name": PurePath(name).name, "sha256": digest(folder / name)}
        for role, name in roles(settings).items()
        if (folder / name).exists()
    }


def digest(path: Path) -> str:
    """The SHA-256 of a file, or of the names and the SHA-256 of the Parquet files of a folder."""
    if path.is_file():
        return sha256(path)
    told = "".join(f"{p.relative_to(path).as_posix()} {sha256(p)}\n" for p in parquet_files(path))
    return hashlib.sha256(told.encode()).hexdigest()


def instrument_digest(survey: Survey) -> str:
    """The SHA-256 of an instrument with its settings."""
    return hashlib.sha256(survey.model_dump_json().encode()).hexdigest()


def stale(provenance: Mapping[str, Any], survey: Survey, settings: Settings, folder: Path) -> list[str]:
    """What of a folder differs from what its results were made from, each in a few words.

    A file that is no longer there cannot be compared: respondents' data are often removed once they are counted.
    """
    changed = []
    known = provenance.get("inputs", {})
    for role, name in roles(settings).items():
        made_from = known.get(role)
        if made_from is None:
            changed.append(f"{role}: {name} was not read then")
        elif (folder / name).exists() and digest(folder / name) != made_from["sha256"]:
            changed.append(f"{role}: {name} has changed")
    changed += [f"{role}: no longer in survey.yaml" for role in known if role not in roles(settings)]
    if provenance.get("instrument_sha256") != instrument_digest(survey):
        changed.append("the instrument or its settings")
    then, now = provenance.get("run", {}), run_settings(settings)
    changed += [f"{field} in survey.yaml" for field in now if then.get(field) != now[field]]
    here, made_by = version("stocktake"), provenance.get("versions", {}).get("stocktake")
    if made_by != here:
        changed.append(f"Stocktake {here}, in place of {made_by}")
    return changed
