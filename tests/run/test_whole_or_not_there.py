"""A run that is stopped at any step that changes the disk leaves the old or the new, whole, and the next one succeeds."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from helpers import small_survey
from stocktake import files
from stocktake.problems import StocktakeError
from stocktake.run.core import open_run
from stocktake.run.quality import benchmark_folder
from stocktake.run.reporting import make_reports
from stocktake.run.site import make_site
from stocktake.survey.engines import cores
from stocktake.survey.instrument import Method


class Killed(BaseException):
    """Stands for the end of a process: from then on nothing changes the disk any more."""


def write_survey(folder: Path, minimum: int = 3) -> Path:
    survey = small_survey({"S01": [3], "S02": [2]}, method=Method(minimum_base=minimum, minimum_answers=0, draws=5))
    folder.mkdir(parents=True, exist_ok=True)
    data = survey.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    (folder / "own.yaml").write_text(yaml.safe_dump(data))
    (folder / "organisations.csv").write_text("code,name\nT1,One\nT2,Two\nT3,Three\n")
    rows = [
        {"respondent": f"{t}{i}", "organisation": f"T{t}", "kind": 1 + i % 2, "Q1": 1 + i % 3, "Q2": 1 + i % 2}
        for t in (1, 2, 3)
        for i in range(12 + t)
    ]
    pl.DataFrame(rows).write_csv(folder / "answers.csv")
    (folder / "survey.yaml").write_text("instrument: own.yaml\nwaves:\n  - {year: 2024, responses: answers.csv}\n")
    return folder


@pytest.fixture
def stop() -> Iterator[Callable[[int, BaseException], list[str]]]:
    """Stops at the n-th step: from there on every step fails in the same way."""

    def at(step: int, error: BaseException) -> list[str]:
        seen: list[str] = []

        def before(name: str, path: Path) -> None:
            seen.append(f"{name} {path.name}")
            if len(seen) > step:
                raise error

        files.before_step = before
        return seen

    yield at
    files.before_step = None


def state(folder: Path) -> dict[str, str]:
    """The digest of every finished file of the results."""
    files_ = sorted(p for p in (folder / "results").glob("*") if p.is_file())
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files_}


def leftovers(folder: Path) -> list[str]:
    return [p.name for p in folder.rglob(".*") if p.name.endswith((".part", ".new", ".old"))]


@pytest.mark.parametrize("kind", ["killed", "disk full"])
def test_a_run_stopped_at_every_step(
    tmp_path: Path, stop: Callable[[int, BaseException], list[str]], kind: str
) -> None:
    folder = write_survey(tmp_path / "survey")
    benchmark_folder(folder)
    old = state(folder)
    # New inputs, so that a mixture of old and new would show.
    write_survey(folder, minimum=4)
    fresh = write_survey(tmp_path / "fresh", minimum=4)
    benchmark_folder(fresh)
    new = state(fresh)
    assert old != new and len(new) > 12
    for step in range(200):
        error = Killed() if kind == "killed" else OSError(errno.ENOSPC, "No space left on device", "x")
        seen = stop(step, error)
        try:
            benchmark_folder(folder)
        except (Killed, OSError):
            files.before_step = None
            if files.interrupted(folder / "results"):
                files.recover(folder / "results")
            assert state(folder) in (old, new), seen[-1]
            continue
        files.before_step = None
        break
    else:
        raise AssertionError("never finished")
    assert step > 20
    assert state(folder) == new
    assert leftovers(folder) == []


def test_reports_stopped_at_every_step(tmp_path: Path, stop: Callable[[int, BaseException], list[str]]) -> None:
    folder = write_survey(tmp_path)
    benchmark_folder(folder)
    report = folder / "reports" / "T1" / "benchmark-report.xlsx"
    whole = None
    for step in range(30):
        stop(step, Killed())
        try:
            make_reports(folder, ["T1"], formats=["xlsx"])
        except Killed:
            files.before_step = None
            if report.exists():
                whole = whole or report.read_bytes()
                assert report.read_bytes() == whole
            continue
        break
    assert step > 3
    files.before_step = None
    assert [m.fresh for m in make_reports(folder, ["T1"], formats=["xlsx"])] == [False]
    assert leftovers(folder) == []


def test_a_report_that_was_overwritten_is_made_again(tmp_path: Path) -> None:
    folder = write_survey(tmp_path)
    benchmark_folder(folder)
    path = make_reports(folder, ["T1"], formats=["xlsx"])[0].path
    sound = path.read_bytes()
    path.write_bytes(b"something else")
    assert [m.fresh for m in make_reports(folder, ["T1"], formats=["xlsx"])] == [True]
    assert path.read_bytes() == sound


def test_a_process_that_is_killed_holds_no_lock(tmp_path: Path) -> None:
    folder = write_survey(tmp_path)
    script = (
        "import os, sys; from pathlib import Path; from stocktake import files\n"
        "with files.writing(Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read(); os._exit(9)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stdin is not None
    assert child.stdout.readline() == "held\n"
    with pytest.raises(StocktakeError, match="another stocktake command is writing here"):
        benchmark_folder(folder)
    child.kill()
    child.wait()
    benchmark_folder(folder)
    assert open_run(folder).organisations


def test_a_reader_never_sees_a_folder_half_replaced(tmp_path: Path) -> None:
    """Two files of a folder always belong together, however often it is replaced meanwhile."""
    if not sys.platform.startswith("linux"):
        pytest.skip("folders are exchanged in one step on Linux; elsewhere by two renames")
    target = tmp_path / "shown"

    def make(number: int) -> None:
        with files.new_folder(target) as fresh:
            for name in ("a", "b"):
                files.write_file(fresh / name, str(number))

    make(0)
    done = threading.Event()

    def replace_often() -> None:
        for number in range(1, 80):
            make(number)
        done.set()

    worker = threading.Thread(target=replace_often)
    worker.start()
    seen = 0
    while not done.is_set():
        assert target.is_dir()
        handle = os.open(target, os.O_RDONLY)
        try:
            one, other = (os.open(n, os.O_RDONLY, dir_fd=handle) for n in ("a", "b"))
            assert os.read(one, 9) == os.read(other, 9)
            os.close(one)
            os.close(other)
            seen += 1
        except FileNotFoundError:
            pass  # This folder was replaced and removed while it was held open.
        finally:
            os.close(handle)
    worker.join()
    assert seen > 3


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda f: (f / "results" / "scores.csv").write_text("x"), "scores.csv was changed after it was written"),
        (lambda f: (f / "results" / "measures.parquet").unlink(), "measures.parquet is missing"),
        (lambda f: (f / "answers.csv").open("a").write("r,T1,1,1,1\n"), "responses 2024: answers.csv has changed"),
        (
            lambda f: (f / "organisations.csv").open("a").write("T9,Nine\n"),
            "organisations: organisations.csv has changed",
        ),
        (lambda f: edit(f, "answers.csv", "others.csv"), "waves in survey.yaml"),
        (lambda f: edit(f, "waves:", "organisations: list.csv\nwaves:"), "organisations in survey.yaml"),
        (lambda f: edit(f, "waves:", "disclosure: {decimals: 2}\nwaves:"), "disclosure in survey.yaml"),
        (lambda f: edit(f, "waves:", "settings: {cap: 3}\nwaves:"), "the instrument or its settings"),
        (lambda f: manifest(f, schema_version=1), "schema version 1"),
        (lambda f: manifest(f, files={}), "does not list the tables"),
        (lambda f: (f / "results" / "manifest.json").write_text("["), "damaged"),
        (lambda f: without_column(f, "measures", "tau"), "measures does not have the columns of this version"),
    ],
)
def test_results_that_do_not_belong_to_the_folder_are_refused(
    tmp_path: Path, change: Callable[[Path], object], expected: str
) -> None:
    folder = write_survey(tmp_path)
    benchmark_folder(folder)
    change(folder)
    with pytest.raises(StocktakeError) as error:
        open_run(folder)
    assert expected in str(error.value) and "again" in str(error.value)
    assert len(error.value.problems) == 1


def test_a_site_that_is_made_again_has_the_same_pages(tmp_path: Path) -> None:
    folder = write_survey(tmp_path)
    benchmark_folder(folder)
    made = []
    for _ in range(2):
        make_site(folder)
        made.append(
            {p.relative_to(folder): p.read_bytes() for p in sorted((folder / "site").rglob("*")) if p.is_file()}
        )
    assert made[0] == made[1] and len(made[0]) > 10


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "survey.yaml"
    path.write_text(path.read_text().replace(old, new))


def without_column(folder: Path, table: str, column: str) -> None:
    """A table that lacks a column, in a folder whose manifest knows it so."""
    path = folder / "results" / f"{table}.parquet"
    pl.read_parquet(path).drop(column).write_parquet(path)
    known = json.loads((folder / "results" / "manifest.json").read_text())["files"]
    manifest(folder, files={**known, path.name: files.sha256(path)})


def manifest(folder: Path, **changes: object) -> None:
    path = folder / "results" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_files_do_not_leave_their_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    with pytest.raises(StocktakeError, match="outside"):
        files.write_file(inside / ".." / "evil", "x", inside=inside)
    (tmp_path / "elsewhere").mkdir()
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StocktakeError, match="outside"):
        files.write_file(inside / "link" / "evil", "x", inside=inside)
    (inside / "file").symlink_to(tmp_path / "elsewhere" / "target")
    files.write_file(inside / "file", "x", inside=inside)
    assert not (inside / "file").is_symlink() and not list((tmp_path / "elsewhere").iterdir())
    with pytest.raises(StocktakeError, match="there is a file where a folder"), files.new_folder(inside / "file"):
        pass


def test_folders_are_replaced_without_an_exchange_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a system cannot exchange folders, a process killed between two renames is recovered from."""
    monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    target = tmp_path / "results"
    for number in (1, 2):
        with files.new_folder(target) as fresh:
            files.write_file(fresh / "a", str(number))
    assert (target / "a").read_text() == "2"

    def before(name: str, path: Path) -> None:
        if name in ("swap half done", "remove folder"):
            raise Killed

    files.before_step = before
    try:
        with pytest.raises(Killed), files.new_folder(target) as fresh:
            files.write_file(fresh / "a", "3")
    finally:
        files.before_step = None
    assert files.interrupted(target)
    files.recover(target)
    assert (target / "a").read_text() == "2"
    assert leftovers(tmp_path) == []


@pytest.mark.skipif(
    sys.platform != "linux" or cores() < 2,
    reason="needs two cores, and Linux, which tells a process that the one that started it has ended",
)
def test_workers_end_with_the_process_that_started_them() -> None:
    """One that is killed cannot tell its workers, which would go on writing where the next run has begun."""
    code = "import time; from stocktake.run.pool import on_every_core; list(on_every_core(time.sleep, [(60,), (60,)]))"
    first = subprocess.Popen([sys.executable, "-c", code])

    def workers() -> list[int]:
        try:
            told = Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()
        except OSError:
            return []
        return [int(p) for p in told if "spawn_main" in Path(f"/proc/{p}/cmdline").read_text()]

    started = wait_for(lambda: workers() if len(workers()) == 2 else None)
    # Until each has begun its job, which it does after it has been told whom to follow.
    time.sleep(3)
    first.kill()
    first.wait()
    assert wait_for(lambda: all(not Path(f"/proc/{p}").exists() or "Z" in state_of(p) for p in started))


def state_of(process: int) -> str:
    """The letter of a process's state; empty where it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def wait_for(told: Callable[[], Any], seconds: float = 20) -> Any:
    """What a call tells when it tells something, asked again until then."""
    until = time.monotonic() + seconds
    while not (found := told()):
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.1)
    return found
