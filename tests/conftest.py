"""Paths and fixtures for all tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# So that `import oracle` and `import helpers` work from every folder of tests.
sys.path.insert(0, str(Path(__file__).parent))

from hypothesis import settings

from made_once import made_once

# No test asserts a time: a busy machine is no fault of the program's.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

SHARED = Path(__file__).parents[2] / "shared"


# Coverage slows every line that runs, and is of what other tests are for.
UNMEASURED = ("pages", "render", "reports", "run")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Coverage pauses for tests of documents and commands, and for what their fixtures make."""
    coverage = item.config.pluginmanager.getplugin("_cov")
    measured = getattr(coverage, "cov_controller", None) if item.path.parent.name in UNMEASURED else None
    if measured is None:
        return (yield)
    measured.pause()
    try:
        return (yield)
    finally:
        measured.resume()


MAKE_DEMO = """
import sys
from collections.abc import Iterator
from pathlib import Path
from stocktake.run.folder import demo_folder
from stocktake.run.quality import benchmark_folder
if __name__ == "__main__":
    demo_folder(Path(sys.argv[1]))
    benchmark_folder(Path(sys.argv[1]))
"""


@pytest.fixture(scope="session")
def workbook() -> Path:
    """The official published workbook, which stands beside the project where it is developed."""
    path = SHARED / "published" / "adult_inpatient_2022_benchmark.ods"
    if not path.is_file():
        pytest.skip("needs the official workbook in ../shared/published, which is not part of the project")
    return path


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A benchmarked folder with the simulated survey, made once for all tests that only read it."""

    def make(folder: Path) -> None:
        # In a process of its own, for coverage makes it take twice as long.
        subprocess.run([sys.executable, "-c", MAKE_DEMO, str(folder)], check=True)

    return made_once(tmp_path_factory, "demo", make)


@pytest.fixture(scope="session")
def imported(workbook: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the results of the official workbook."""
    from stocktake.run.workbook import published_folder

    folder = tmp_path_factory.mktemp("published")
    published_folder(workbook, folder)
    return folder


@pytest.fixture(scope="session")
def wordless(workbook: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of an instrument that knows codes alone."""
    import yaml

    from stocktake.run.workbook import published_folder
    from stocktake.survey.instrument import load

    folder = tmp_path_factory.mktemp("wordless")
    data = load("adult_inpatient_2022").model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for question in data["questions"]:
        for name in ("text", "short", "inferred"):
            question.pop(name)
    for section in data["sections"]:
        section.pop("title")
    own = folder / "codes.yaml"
    own.write_text(yaml.safe_dump(data))
    published_folder(workbook, folder / "results", instrument=str(own))
    return folder / "results"
