"""A PostgreSQL server of one's own, for tests and benchmarks: it listens on a socket alone, and is gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


class Unavailable(Exception):
    """There is no server to be had here; the message says what it would need."""


@contextmanager
def server() -> Iterator[str]:
    """The address of a server with an empty database; raises Unavailable where none can be started."""
    if PROGRAMS is None or shutil.which("runuser") is None or os.geteuid() != 0:
        raise Unavailable("needs PostgreSQL (apt-get install postgresql) and root, who starts it as the user postgres")
    folder = Path("/tmp") / f"stocktake-postgresql-{os.getpid()}"
    folder.mkdir()
    shutil.chown(folder, "postgres")

    def run(program: str, *words: str) -> None:
        command = ["runuser", "-u", "postgres", "--", str(PROGRAMS / program), *words]
        subprocess.run(command, check=True, capture_output=True)

    listen = f"-k {folder} -c listen_addresses=''"
    try:
        run("initdb", "-D", f"{folder}/data", "-U", "tests", "--auth=trust", "-E", "UTF8")
        run("pg_ctl", "-D", f"{folder}/data", "-w", "-o", listen, "-l", f"{folder}/log", "start")
        yield f"postgresql://tests@/postgres?host={folder}"
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            run("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
