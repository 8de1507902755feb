# ruff: noqa: T201
"""Which faults, put into the code one at a time, the tests find; it informs, and takes from minutes to days.

    python mutants/run.py [--each 12] [--seed 1] [--only compare/change.py,render/svg.py]

Cosmic Ray makes the mutants and runs the tests of each module in a copy of the project. `--each` is how many mutants of
a module are tried (0: all), drawn by the seed. What survived is printed with its difference, and whether
mutants/survivors.yaml has a reason for it. Mutants that cannot change a result are not drawn; RULES says which.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import yaml

ROOT = Path(__file__).parent.parent
SOURCE = "src/stocktake"
BUILD = ROOT / "build" / "mutants"
WORKERS = 2
# Seconds after which the tests of a mutant count as having found it: one that never ends does not pass.
TIMEOUT = 400

STATISTICS = ("tests/compare", "tests/properties/test_counts_add.py", "tests/properties/test_against_oracle.py", "tests/spec", "tests/properties/test_many_options.py", "tests/survey/test_independent_checks.py", "tests/published")  # fmt: skip
INTAKE = ("tests/survey/test_intake.py", "tests/survey/test_opening.py", "tests/spec", "tests/properties/test_fuzz_parsers.py")  # fmt: skip
INSTRUMENT = ("tests/survey/test_instrument.py", "tests/survey/test_intake.py", "tests/spec", "tests/test_codes.py")
WORKBOOK = ("tests/survey/test_published_layout.py", "tests/published", "tests/survey/test_rounded_workbook.py")
RESULTS = ("tests/results", "tests/spec", "tests/survey/test_published_layout.py", "tests/published", "tests/disclosure", "tests/run/test_whole_or_not_there.py", "tests/survey/test_simulate.py", "tests/reports")  # fmt: skip
DRAWING = ("tests/render",)
TRENDS = ("tests/trends", "tests/compare/test_trend.py", "tests/survey/test_breakdowns.py")

MODULES: dict[str, tuple[str, ...]] = {
    **{f"compare/{m}.py": STATISTICS for m in ("change", "estimates", "expected_range", "extremes", "firmness", "suppress")},
    **{f"survey/{m}.py": STATISTICS for m in ("counts", "tally", "second_pass", "engines", "fieldwork", "resample", "scores", "weights", "coding")},
    **{f"survey/{m}.py": INTAKE for m in ("cleaning", "findings", "opening", "responses", "sample", "spss", "wave", "wave_checks")},
    **{f"survey/{m}.py": (*INTAKE, "tests/survey/test_databases.py", "tests/survey/test_spark.py") for m in ("parquet", "tables")},
    "survey/spark.py": ("tests/survey/test_spark.py",),
    **{f"disclosure/{m}.py": ("tests/disclosure",) for m in ("attack", "bounds", "linear")},
    **{f"survey/{m}.py": INSTRUMENT for m in ("instrument", "instrument_checks", "instrument_parts")},
    **{f"survey/{m}.py": WORKBOOK for m in ("published", "workbooks")},
    **{f"results/{m}.py": RESULTS for m in ("assemble", "store", "csv", "__init__")},
    **{f"organisations/{m}.py": ("tests/organisations",) for m in ("register", "populations")},
    **{f"audit/{m}.py": ("tests/audit",) for m in ("specification", "claims", "lint", "printed")},
    **{f"{m}.py": TRENDS for m in ("compare/trend", "survey/breakdowns", "trends/series", "trends/facts", "trends/tables", "trends/sentences")},
    "disclosure/small_shares.py": ("tests/disclosure/test_small_shares.py", "tests/trends"),
    **{f"comments/{m}.py": ("tests/comments",) for m in ("screening", "themes", "review")},
    **{f"render/{m}.py": DRAWING for m in ("svg", "survey_drawings", "cells", "deck/charts", "deck/survey_charts")},
}  # fmt: skip
# Simulated data (survey/simulate.py, survey/dirt.py) are what the tests of the demo start from, not what they test.

RULES = (
    "annotations: nothing reads them when the program runs",
    "decorators that only keep what was worked out (cache, cached_property), or only forbid assignment (dataclass)",
    "constants in the calls that make those decorators",
    "`*` in place of `&`, and `+` in place of `|`: the same for arrays of truth values, and an error for sets",
    "imports under TYPE_CHECKING",
    "the text and numbers of messages in `raise` statements and assertions of our own",
)


@dataclass(frozen=True)
class Mutant:
    """One mutant: where it is, what was done, and how its tests ended."""

    module: str
    operator: str
    occurrence: int
    line: int
    difference: str
    found: bool

    @property
    def key(self) -> str:
        """A name that stays the same while the line does."""
        changed = [d for d in self.difference.splitlines() if d[:1] in "+-" and d[:3] not in ("+++", "---")]
        return f"{self.module}: " + " => ".join(" ".join(d[1:].split()) for d in changed)


def without_effect(module: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """The parts of a module whose mutants cannot change a result, as spans of (line, column)."""
    spans = []

    def add(node: ast.AST) -> None:
        spans.append(((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)))  # type: ignore[attr-defined]

    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            add(node.annotation)
        if isinstance(node, ast.FunctionDef):
            if node.returns is not None:
                add(node.returns)
            for decorator in node.decorator_list:
                if ast.unparse(decorator) in ("cache", "cached_property", "staticmethod", "contextmanager"):
                    add(decorator)
        if isinstance(node, ast.ClassDef):
            for decorator in node.decorator_list:
                add(decorator)
        if isinstance(node, ast.Raise | ast.Assert):
            add(node)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            add(node)
        # A type that has a name.
        if isinstance(node, ast.Assign) and all(isinstance(t, ast.Name) for t in node.targets):
            text = ast.unparse(node.value)
            if text.startswith(("NDArray[", "Literal[", "Callable[", "Mapping[", "Annotated[")):
                add(node)
    return spans


def copy_of_project(worker: int) -> Path:
    """A fresh copy of what is under version control, whose files Cosmic Ray may change."""
    copy = BUILD / f"copy{worker}"
    shutil.rmtree(copy, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


def try_module(module: str, copy: Path, each: int, seed: int) -> list[Mutant]:
    """Draw mutants of a module, try them, and say how each ended."""
    from cosmic_ray.work_db import WorkDB, use_db
    from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

    name = module.replace("/", "_").removesuffix(".py")
    config, session = copy / f"{name}.toml", copy / f"{name}.sqlite"
    there = [t for t in MODULES[module] if (copy / t).exists()]
    command = f"{sys.executable} -m pytest -x -q -p no:cacheprovider -p no:randomly {' '.join(there)}"
    config.write_text(
        f'[cosmic-ray]\nmodule-path = "{SOURCE}/{module}"\ntimeout = {TIMEOUT}\nexcluded-modules = []\n'
        f'test-command = "{command}"\n[cosmic-ray.distributor]\nname = "local"\n'
    )
    environment = os.environ | {"PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1", "POLARS_MAX_THREADS": "1", "STOCKTAKE_MUTANT": "1"}  # fmt: skip
    script = Path(sys.executable).with_name("cosmic-ray")

    def run(*arguments: str) -> None:
        subprocess.run([script, *arguments], cwd=copy, env=environment, check=True, capture_output=True)

    run("init", config.name, session.name)
    spans = without_effect(copy / SOURCE / module)
    with use_db(str(session), WorkDB.Mode.open) as work:
        items = []
        for item in work.work_items:
            (mutation,) = item.mutations
            start, end = mutation.start_pos, mutation.end_pos
            same = mutation.operator_name.endswith(("BitAnd_Mul", "BitOr_Add"))
            if not same and not any(a <= start and end <= b for a, b in spans):
                items.append(item.job_id)
        random.Random(f"{seed} {module}").shuffle(items)
        drawn = set(items if each == 0 else items[:each])
        for item in list(work.work_items):
            if item.job_id not in drawn:
                work.set_result(item.job_id, WorkResult(worker_outcome=WorkerOutcome.SKIPPED, output="not drawn"))
    run("exec", config.name, session.name)
    out = []
    with use_db(str(session), WorkDB.Mode.open) as work:
        for item, result in work.completed_work_items:
            if item.job_id not in drawn:
                continue
            (mutation,) = item.mutations
            found = result.test_outcome != TestOutcome.SURVIVED
            difference = result.diff or ""
            operator = mutation.operator_name.removeprefix("core/")
            out.append(Mutant(module, operator, mutation.occurrence, mutation.start_pos[0], difference, found))
    return out


def main(arguments: Sequence[str] | None = None) -> None:
    """Try the mutants and print what survived."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--each", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    given = parser.parse_args(arguments)
    only = [m for m in given.only.split(",") if m]
    modules = [m for m in MODULES if not only or m in only]
    copies = [copy_of_project(k) for k in range(WORKERS)]
    free = list(copies)
    reasons = yaml.safe_load((ROOT / "mutants" / "survivors.yaml").read_text("utf-8")) or {}
    start = perf_counter()

    def one(module: str) -> list[Mutant]:
        copy = free.pop()
        try:
            return try_module(module, copy, given.each, given.seed)
        finally:
            free.append(copy)

    mutants: list[Mutant] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for module, tried in zip(modules, pool.map(one, modules), strict=True):
            mutants += tried
            print(f"{module}: {sum(m.found for m in tried)} of {len(tried)} found", flush=True)
            for m in tried:
                if not m.found:
                    print(f"  {'known' if m.key in reasons else 'NEW'}  line {m.line}  {m.key}", flush=True)
    equivalent = [m for m in mutants if not m.found and reasons.get(m.key, "").startswith("equivalent")]
    counted = len(mutants) - len(equivalent)
    found = sum(m.found for m in mutants)
    share = 100 * found / counted if counted else 0
    print(
        f"{found} of {counted} mutants found ({share:.1f}%; at least 90% wanted), {len(equivalent)} equivalent; "
        f"{perf_counter() - start:.0f} s"
    )


if __name__ == "__main__":
    main()
