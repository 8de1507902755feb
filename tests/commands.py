"""The commands as a user gives them, run in this process: starting the program anew takes longer than most of them."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from stocktake import cli


def stocktake(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What a command prints and ends with."""
    words = ["stocktake", *map(str, arguments)]
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with (
        patch.object(sys, "argv", words),
        patch.dict(os.environ, {"COLUMNS": "140"}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())
