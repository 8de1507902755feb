"""Commands as whole processes, with their seconds and peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

# A process inherits the peak of the one that starts it, which a benchmark's may be larger than its own: a small one starts it.
START = """
import json, os, resource, subprocess, sys, time
start = time.perf_counter()
done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
seconds = time.perf_counter() - start
most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
told = {"status": done.returncode, "seconds": seconds, "peak": most, "out": done.stdout.decode(), "errors": done.stderr.decode()}
with open(sys.argv[1], "w") as file:
    json.dump(told, file)
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its status, seconds, peak memory (bytes) and what it printed."""

    status: int
    seconds: float
    peak: float
    out: str
    errors: str


def run(command: Sequence[str]) -> Ended:
    """Run a command and wait for it."""
    import tempfile

    with tempfile.NamedTemporaryFile() as told:
        subprocess.run([sys.executable, "-c", START, told.name, *map(str, command)], check=True)
        return Ended(**json.load(told))
