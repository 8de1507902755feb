"""Memory for thousands of organisations has a bound, whatever the number of respondents (docs/how-to.md says which)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"
LIMIT = 1e9


def peak(path: Path, organisations: int) -> float:
    """The peak memory (bytes) of a process of its own that reads, counts, scores and bands."""
    command = [sys.executable, str(BENCHMARKS / "bench.py"), "--measure", "ours", str(path), str(organisations)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1])["peak"])


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="needs Linux, which tells a process's largest memory"
)
def test_memory_of_6300_organisations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their counts outgrow those of the pairs that would fit; four times the respondents take hardly more memory."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import data

    monkeypatch.setattr(data, "FOLDER", tmp_path)
    few, many = (peak(data.parquet(rows, 6300), 6300) for rows in (150_000, 600_000))
    assert few < many < LIMIT
    assert many < 1.5 * few
