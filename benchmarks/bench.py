# ruff: noqa: T201
"""How fast and how sparing the ways of surveys and audits are, each time against a named peer or limit in the same run.

    python benchmarks/bench.py [--quick] [--only survey,large,size,sources,...]

It informs: whatever it finds, its exit status is 0. What it finds is also in build/bench/results.json, from which
`python benchmarks/page.py` makes docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from peers import Peer

    from stocktake.compare.estimates import Estimates, Floats
    from stocktake.compare.expected_range import ExpectedRange
    from stocktake.survey.instrument import Survey
    from stocktake.survey.scores import Scores
    from stocktake.survey.wave import Wave

Run = Callable[[], float]
Kind = Literal["as fast", "as long", "as much", "of the limit"]

# The targets are for two cores; on a larger machine ours and the peers get two of them.
CORES = 2
MINIMUM_BASE = 30
TOLERANCE = 1e-9
MB, GB = 1e6, 1e9
WIDTHS = (48, 8, 43, 8, 18, 13, 6)


# All that was found, for the page of results.
FOUND: list[dict[str, Any]] = []
PART = [""]


def print_row(*columns: str) -> None:
    """Print one line of the table."""
    print("  ".join(c.ljust(w) for c, w in zip(columns, WIDTHS, strict=False)).rstrip(), flush=True)


def remember(kind: str, what: str, against: str, **more: Any) -> None:
    """Keep one line for the page of results."""
    FOUND.append({"part": PART[0], "kind": kind, "what": what, "against": against, **more})


def compare(
    what: str, ours: float, against: str, theirs: float, target: float | None, kind: Kind, unit: str = "s"
) -> None:
    """Print ours and theirs with their ratio: how many times as fast ours is or as long it takes, or its share.

    Without a target it is for information.
    """
    ratio = theirs / ours if kind == "as fast" else ours / theirs
    shown = f"{ratio:.2f} {kind}" if kind == "of the limit" else f"{ratio:.3g} times {kind}"
    digits = ".3g" if unit == "s" else ".0f"
    bound = said = ""
    if target is not None:
        bound = f"at {'least' if kind == 'as fast' else 'most'} {target:g}"
        said = "met" if (ratio >= target if kind == "as fast" else ratio <= target) else "missed"
    print_row(what, f"{ours:{digits}} {unit}", against, f"{theirs:{digits}} {unit}", shown, bound, said)
    remember(kind, what, against, ours=ours, theirs=theirs, unit=unit, ratio=ratio, target=target, said=said)


def clock(work: Callable[[], object]) -> Run:
    """The same work, yielding its seconds."""

    def run() -> float:
        start = perf_counter()
        made = work()
        seconds = perf_counter() - start
        # Let go outside the clock, and before the next in turn starts.
        del made
        return seconds

    return run


def alternate(rounds: int, *runs: Run, warm: bool = True) -> list[float]:
    """Median seconds of each over so many rounds in turn, after a round that does not count."""
    if warm:
        for run in runs:
            run()
    taken = [[run() for run in runs] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*taken, strict=True)]


# Our job, from a Parquet file of raw answers to bands.


def estimate(
    survey: Survey, source: Any, codes: tuple[str, ...], engine: Literal["local", "spark"] = "local"
) -> tuple[Wave, Scores]:
    """Read, check, count and score."""
    from stocktake.survey.tables import open_table
    from stocktake.survey.wave import read_wave

    wave = read_wave(survey, survey.year, codes, open_table(source), None, survey.method, engine=engine)
    return wave, rescore(wave)


def rescore(wave: Wave, correction: Literal["none", "design", "stratum"] = "none") -> Scores:
    """Scores and standard errors from the wave's counts, with a second look at the answers where it needs one."""
    from stocktake.survey.scores import score

    assert wave.counts is not None
    method = wave.survey.method.model_copy(update={"correction": correction})
    return score(wave.counts, wave.survey, method, second_pass=wave.second_pass)


def whole_job(
    survey: Survey, source: Any, codes: tuple[str, ...], engine: Literal["local", "spark"] = "local"
) -> ExpectedRange:
    """Bands of every question and every section."""
    from stocktake.compare.expected_range import expected_range
    from stocktake.compare.suppress import suppress

    _, scores = estimate(survey, source, codes, engine)
    return expected_range(suppress(scores.estimates, MINIMUM_BASE))


def question_job(apart: Survey, path: Path, codes: tuple[str, ...]) -> ExpectedRange:
    """Bands of the questions alone: the same steps, with no covariances and the section columns dropped.

    `apart` has every question in a section of its own, so that there are no pairs to count or to look up.
    """
    from stocktake.compare.expected_range import expected_range
    from stocktake.compare.suppress import suppress

    _, scores = estimate(apart, path, codes)
    return expected_range(suppress(questions_of(scores.estimates), MINIMUM_BASE))


def questions_of(estimates: Estimates) -> Estimates:
    """The question columns, which come first."""
    size = sum(not m.parts for m in estimates.measures)
    return replace(
        estimates,
        measures=estimates.measures[:size],
        n=estimates.n[:, :size],
        value=estimates.value[:, :size],
        standard_error=estimates.standard_error[:, :size],
        status=estimates.status[:, :size],
    )


def set_apart(survey: Survey) -> Survey:
    """The same survey with every question in a section of its own."""
    data = survey.model_dump(by_alias=True)
    data["sections"] = [{"code": f"only {q.code}", "number": i} for i, q in enumerate(survey.questions, start=1)]
    for question in data["questions"]:
        question["section"] = f"only {question['code']}"
    return type(survey).model_validate(data)


def in_fresh_process(path: Path, organisations: int) -> tuple[float, float]:
    """Seconds and peak memory (bytes) of a new process that does our whole job and nothing else."""
    return measured("ours", path, organisations)


def measured(who: str, path: Path, organisations: int) -> tuple[float, float]:
    """Seconds of one job in a new process, and the peak memory (bytes) of that process."""
    command = [sys.executable, __file__, "--measure", who, str(path), str(organisations)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    return float(told["seconds"]), float(told["peak"])


def measure(who: str, path: Path, organisations: int) -> None:
    """What that process does: our job, or a peer's."""
    from data import codes_of, survey
    from peers import PEERS

    start = perf_counter()
    most = 0.0
    if who == "ours":
        whole_job(survey(), path, tuple(codes_of(organisations)))
    else:
        peer = next(p for p in PEERS if p.name == who)
        most = peer.run(path, [q.code for q in survey().scored]).memory
    print(json.dumps({"seconds": perf_counter() - start, "peak": most or peak()}))


def peak() -> float:
    """This process's largest resident memory so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux lets a new process inherit its parent's ru_maxrss, which is a benchmark's and not the job's.
        line = next(s for s in status.read_text().splitlines() if s.startswith("VmHWM"))
        return float(line.split()[1]) * 1024
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(largest if sys.platform == "darwin" else largest * 1024)


# The benches.


def bench_survey(quick: bool) -> None:
    """A real survey's size: ours, to bands, against peers that yield means and standard errors of questions."""
    from data import codes_of, parquet, survey
    from peers import PEERS, Missing, write_table

    instrument, codes, path = survey(), tuple(codes_of(53)), parquet(15_000, 53)
    apart = set_apart(instrument)
    names = [q.code for q in instrument.scored]
    table = write_table(path, instrument)
    wave, _ = estimate(instrument, path, codes)
    both = clock(lambda: whole_job(instrument, path, codes))
    alone = clock(lambda: question_job(apart, path, codes))
    _, memory = in_fresh_process(path, 53)
    for peer in PEERS:
        if quick and peer.slow:
            print(f"{peer.name}: left out of a quick run.")
            continue
        try:
            answer = peer.run(table, names)
        except (Missing, ImportError) as error:
            print(f"{peer.name}: left out; {error}.")
            continue
        against_peer(peer, table, names, both, alone, answer.seconds)
        ours = questions_of(rescore(wave, peer.correction).estimates)
        agree("means", ours.value, peer.name, answer.mean)
        agree("standard errors", ours.standard_error, peer.name, answer.error)
        _, theirs = measured(peer.name, table, 53)
        compare("15,000 x 40: peak memory", memory / MB, peer.name, theirs / MB, None, "as much", "MB")


def against_peer(peer: Peer, table: Path, names: Sequence[str], both: Run, alone: Run, first: float) -> None:
    """Both of our jobs in turn with one peer, which took `first` seconds when it ran to be warm."""
    rounds = 3 if first > 1 else 5 if first > 0.3 else 11
    both()
    alone()
    ours, questions, theirs = alternate(rounds, both, alone, lambda: peer.run(table, names).seconds, warm=False)
    compare("15,000 x 40: questions and sections", ours, peer.name, theirs, peer.target, "as fast")
    compare("15,000 x 40: questions only", questions, peer.name, theirs, peer.target, "as fast")


def agree(what: str, ours: Floats, against: str, theirs: Floats) -> None:
    """Print the largest relative difference of two arrays; NaN, which agrees with nothing, counts as missed."""
    largest = float(abs(ours / theirs - 1).max())
    said = "met" if largest <= TOLERANCE else "missed"
    print_row(f"{what}: largest relative difference", "", against, "", f"{largest:.1e}", f"at most {TOLERANCE:g}", said)
    remember("agree", what, against, ratio=largest, target=TOLERANCE, said=said)


def bench_large(quick: bool) -> None:
    """Ten million respondents: ours against what it takes merely to decode the same columns, and to read the bytes."""
    import polars as pl
    import pyarrow.parquet
    from data import codes_of, columns_of, parquet, survey

    rows = 1_000_000 if quick else 10_000_000
    instrument, codes, path = survey(), tuple(codes_of(53)), parquet(rows, 53)
    columns = columns_of(instrument)
    what = f"{rows:,} x 40, 53 organisations"
    _, memory = in_fresh_process(path, 53)

    def row_groups() -> None:
        file = pyarrow.parquet.ParquetFile(path)
        for i in range(file.metadata.num_row_groups):
            file.read_row_group(i, columns=columns)

    ours, decode, arrow, read = alternate(
        5,
        clock(lambda: whole_job(instrument, path, codes)),
        clock(lambda: pl.read_parquet(path, columns=columns)),
        clock(row_groups),
        clock(path.read_bytes),
    )
    compare(f"{what}: time", ours, "Polars, decoding the same columns", decode, 2.5, "as long")
    if quick:
        print("That target is for 10,000,000 rows; of a small file's time more goes into setting out.")
    compare(f"{what}: time", ours, "PyArrow, decoding them by row groups", arrow, None, "as long")
    compare(f"{what}: time", ours, "reading the file's bytes", read, None, "as long")
    compare(f"{what}: peak memory", memory / MB, "limit", GB / MB, 1, "of the limit", "MB")


def bench_size(quick: bool) -> None:
    """Five times as many respondents: time that grows with them, and memory that does not; each in a process of its own."""
    from data import copies, parquet

    rows = 1_000_000 if quick else 10_000_000
    for organisations in (53, 6300):
        one = parquet(rows, organisations)
        (short, little), (long, much) = (in_fresh_process(p, organisations) for p in (one, copies(one, 5)))
        what, few = f"{5 * rows:,} x 40, {organisations:,} organisations", f"{rows:,} x 40"
        compare(f"{what}: time", long, few, short, 5.5, "as long")
        compare(f"{what}: peak memory", much / MB, few, little / MB, 1.25, "as much", "MB")
        compare(f"{what}: peak memory", much / MB, "limit", GB / MB, 1, "of the limit", "MB")


def bench_many(quick: bool) -> None:
    """Thousands of organisations: time and memory against limits."""
    from data import codes_of, parquet, survey

    instrument, codes, path = survey(), tuple(codes_of(6300)), parquet(750_000, 6300)
    what = "750,000 x 40, 6,300 organisations"
    _, memory = in_fresh_process(path, 6300)
    (ours,) = alternate(3 if quick else 7, clock(lambda: whole_job(instrument, path, codes)))
    compare(f"{what}: time", ours, "limit", 1.5, 1, "of the limit")
    compare(f"{what}: peak memory", memory / MB, "limit", 1.5 * GB / MB, 1, "of the limit", "MB")


def bench_spark(quick: bool) -> None:
    """The same on Apache Spark, on this machine's cores: the same bytes, and how much longer it takes."""
    from data import codes_of, parquet, survey

    if find_spec("pyspark") is None or shutil.which("java") is None:
        print(
            "spark: needs pyspark (pip install -e '.[spark]') and Java (apt-get install default-jre-headless); left out."
        )
        return
    from pyspark.sql import SparkSession

    # Spark asks the system where this machine is, which on some is nowhere.
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    # Its workers are new processes, in which the code that is measured here must be found.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(f"local[{CORES}]").config("spark.ui.enabled", "false")
    session = builder.config("spark.log.level", "OFF").config("spark.ui.showConsoleProgress", "false").getOrCreate()
    rows = 1_000_000 if quick else 10_000_000
    try:
        for count, organisations in ((rows, 53), (750_000, 6300)):
            instrument, codes, path = survey(), tuple(codes_of(organisations)), parquet(count, organisations)
            found = [estimate(instrument, path, codes, engine)[1] for engine in ("local", "spark")]
            what = f"{count:,} x 40, {organisations:,} organisations, on Spark"
            same(what, "this machine's own pass", *(scores.estimates for scores in found))
            here, there = alternate(
                3,
                clock(lambda: whole_job(instrument, path, codes)),  # noqa: B023
                clock(lambda: whole_job(instrument, path, codes, "spark")),  # noqa: B023
                warm=False,
            )
            compare(f"{what}: time", there, "this machine's own pass", here, None, "as long")
    finally:
        session.stop()


def same(what: str, against: str, one: Estimates, other: Estimates) -> None:
    """Print whether two results are the same to the last byte."""
    pairs = ((one.value, other.value), (one.standard_error, other.standard_error), (one.n, other.n))
    alike = all(a.tobytes() == b.tobytes() for a, b in pairs)
    print_row(what, "", against, "", "the same bytes" if alike else "other bytes", "", "met" if alike else "missed")
    remember("same", what, against, said="met" if alike else "missed")


def bench_sources(quick: bool) -> None:
    """Respondents in a folder of files, in DuckDB and in PostgreSQL, against what each takes merely to hand them over."""
    import duckdb
    import polars as pl
    from data import FOLDER, codes_of, columns_of, copies, parquet, survey

    from stocktake.survey.databases import Query

    rows = 200_000 if quick else 1_000_000
    instrument, codes, path = survey(), tuple(codes_of(53)), parquet(rows, 53)
    columns = columns_of(instrument)
    what = f"{rows:,} x 40"

    def against(name: str, source: Any, hand_over: Callable[[], object], words: str) -> None:
        _, found = estimate(instrument, source, codes)
        same(f"{what} from {name}", "the Parquet file", reference.estimates, found.estimates)
        ours, theirs = alternate(3, clock(lambda: whole_job(instrument, source, codes)), clock(hand_over), warm=False)
        compare(f"{what} from {name}: time", ours, words, theirs, None, "as long")

    _, reference = estimate(instrument, path, codes)
    folder = copies(path, 1)
    against("a folder", folder, lambda: pl.read_parquet(folder, columns=columns), "Polars, decoding it")
    database = FOLDER / f"rows_{rows}.duckdb"
    database.unlink(missing_ok=True)
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"CREATE TABLE answers AS SELECT * FROM '{path}'")
    listed = ", ".join(f'"{c}"' for c in columns)

    def fetch() -> None:
        with duckdb.connect(str(database), read_only=True) as connection:
            connection.sql(f"SELECT {listed} FROM answers").to_arrow_table()

    against("DuckDB", Query(str(database), "SELECT * FROM answers"), fetch, "DuckDB, handing them over")
    csv = path.with_suffix(".csv")
    if not csv.is_file():
        pl.read_parquet(path).write_csv(csv)
    against("CSV", csv, lambda: pl.read_csv(csv, columns=columns, infer_schema=False), "Polars, reading it as text")
    postgres(path, columns, against)


def postgres(path: Path, columns: Sequence[str], against: Callable[..., None]) -> None:
    """The part with a server of its own."""
    import polars as pl

    sys.path.append(str(Path(__file__).parent.parent / "tests"))
    from postgresql import Unavailable, server
    from stocktake.survey.databases import Query

    try:
        with server() as address:
            from adbc_driver_postgresql import dbapi

            with dbapi.connect(address) as connection, connection.cursor() as cursor:
                # PostgreSQL has no whole numbers of 8 bits.
                wider = pl.read_parquet(path).with_columns(pl.col(pl.Int8).cast(pl.Int16))
                cursor.adbc_ingest("answers", wider.to_arrow(), mode="create")
                connection.commit()
            listed = ", ".join(f'"{c}"' for c in columns)

            def fetch() -> None:
                with dbapi.connect(address) as connection, connection.cursor() as cursor:
                    cursor.execute(f"SELECT {listed} FROM answers")
                    cursor.fetch_arrow_table()

            source = Query(address, "SELECT * FROM answers")
            against("PostgreSQL", source, fetch, "ADBC, handing them over")
    except Unavailable as error:
        print(f"PostgreSQL: {error}; left out.")


def bench_counts(quick: bool) -> None:
    """Counting in four places and adding, against counting in one; and counts of thousands of organisations."""
    from data import FOLDER, counting_folder, survey

    from stocktake.run.counting import combine_files, count_folder
    from stocktake.survey.counted import CountedWave
    from stocktake.survey.scores import score

    folder = FOLDER / "counting"
    shutil.rmtree(folder, ignore_errors=True)
    rows = 150_000 if quick else 1_000_000
    whole = counting_folder(folder / "all", rows, 53)
    parts = [counting_folder(folder / f"part {i}", rows, 53, (i, 4)) for i in range(4)]
    seconds = [clock(lambda part=part: count_folder(part))() for part in parts]  # type: ignore[misc]
    files = [next(part.glob("counts/*.counts")) for part in parts]
    add = clock(lambda: combine_files(folder / "sum.counts", files))()
    direct = clock(lambda: count_folder(whole))()
    what = f"{rows:,} x 40, 53 organisations"
    compare(f"{what}: counting in 4 places", max(seconds), "counting in one", direct, None, "as long")
    compare(f"{what}: adding the files", add, "counting in one", direct, None, "as long")
    one = CountedWave.load(next(whole.glob("counts/*.counts")))
    added = CountedWave.load(folder / "sum.counts").for_organisations(one.counts.layout.organisations)
    same(f"{what}: the sum of 4 files", "counting in one", *(score(c.counts, survey()).estimates for c in (one, added)))
    many = counting_folder(folder / "many", 750_000, 6300)
    for step, work in (
        ("counts file", f"from stocktake.run.counting import count_folder; count_folder(Path({str(many)!r}))"),
        (
            "benchmark from it",
            f"from stocktake.run.quality import benchmark_folder; benchmark_folder(Path({str(many)!r}))",
        ),
    ):
        taken, most = of_process([sys.executable, "-c", f"from pathlib import Path; {work}"])
        name = f"750,000 x 40, 6,300 organisations, {step}"
        compare(f"{name}: time", taken, "limit", 60, 1, "of the limit")
        compare(f"{name}: peak memory", most / MB, "limit", 1.5 * GB / MB, 1, "of the limit", "MB")
        (many / "survey.yaml").write_text(
            "instrument: own.yaml\norganisations: organisations.csv\nwaves: [{year: 2024, counts: counts/bench-2024.counts}]\n"
        )


def of_process(command: Sequence[str]) -> tuple[float, float]:
    """Seconds and peak memory (bytes) of a command; raises CalledProcessError where it fails."""
    from processes import run

    done = run(command)
    if done.status:
        raise subprocess.CalledProcessError(done.status, command, done.out, done.errors)
    return done.seconds, done.peak


def bench_reports(quick: bool) -> None:
    """Reports of a folder, by the command: the first from a cold start, and all of them."""
    from data import FOLDER

    from stocktake.run.folder import demo_folder
    from stocktake.run.quality import benchmark_folder

    folder = FOLDER / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    demo_folder(folder)
    benchmark_folder(folder)
    reports = folder / "reports"

    def make(*which: str) -> None:
        command = [sys.executable, "-m", "stocktake", "report", str(folder), *which]
        subprocess.run(command, capture_output=True, check=True)

    def timed(*which: str) -> float:
        shutil.rmtree(reports, ignore_errors=True)
        return clock(lambda: make(*which))()

    (first,) = alternate(1 if quick else 5, lambda: timed("--organisation", "Z01"), warm=False)
    (every,) = alternate(1 if quick else 3, lambda: timed("--all"), warm=False)
    count = len(list(reports.glob("*/*.pdf")))
    compare("first report, from a cold start", first, "limit", 3, 1, "of the limit")
    compare(f"{count} reports, {CORES} cores", every, "limit", 30, 1, "of the limit")


def bench_printers(quick: bool) -> None:
    """One trust's report as PDF by Typst, which is ours, against its HTML printed by WeasyPrint and by Chromium."""
    from data import FOLDER
    from printers import Chromium, facts, html_of, weasyprint

    from stocktake.render.pdf import pdf_bytes
    from stocktake.run.core import open_run
    from stocktake.run.folder import demo_folder
    from stocktake.run.quality import benchmark_folder

    folder = FOLDER / "printers"
    if not (folder / "results").is_dir():
        demo_folder(folder)
        benchmark_folder(folder)
    run = open_run(folder)
    report = run.report("Z01").report
    html = html_of(report, run.theme)
    ways: list[tuple[str, Callable[[], bytes]]] = []
    browser: Chromium | None = None
    if find_spec("weasyprint") is None:
        print("WeasyPrint is not installed; left out.")
    else:
        ways.append(("WeasyPrint", lambda: weasyprint(html)))
    try:
        browser = started = Chromium()
        ways.append(("Chromium, started before", lambda: started.print(html)))
    except ImportError as error:
        print(f"Chromium: {error}; left out.")
    what = "a trust's report as PDF"
    describe("Stocktake", facts(pdf_bytes(report, run.theme)))
    for name, work in ways:
        made = work()
        describe(name, facts(made))
        rounds = 1 if quick else 3
        ours, theirs = alternate(rounds, clock(lambda: pdf_bytes(report, run.theme)), clock(work))
        compare(f"{what}: time", ours, name, theirs, 1, "as fast")
        compare(
            f"{what}: size", len(pdf_bytes(report, run.theme)) / 1000, name, len(made) / 1000, None, "as much", "kB"
        )
    if browser is not None:
        browser.close()


def describe(name: str, found: tuple[int, bool, bool]) -> None:
    """Print what a PDF says of itself."""
    pages, tagged, conforms = found
    words = f"{pages} pages, {'tags' if tagged else 'no tags'}, {'says' if conforms else 'does not say'} PDF/UA"
    print(f"a trust's report as PDF by {name}: {words}")
    remember("told", "a trust's report as PDF", name, said=words)


def bench_features(quick: bool) -> None:
    """What peers can do and cannot: every cell of the table is tried, and one that does not hold is left out of it."""
    from features import checked

    table, problems = checked()
    for problem in problems:
        print(problem)
    for feature, cells in table:
        print(f"{feature}: {', '.join(f'{peer} {cell.verdict}' for peer, cell in cells.items())}")
        for peer, cell in cells.items():
            remember("feature", feature, peer, said=cell.verdict, evidence=cell.evidence)


def bench_disclosure(quick: bool) -> None:
    """What could be worked out from all editions of the simulated survey: the command, its start included."""
    from data import FOLDER

    from stocktake.run.folder import demo_folder
    from stocktake.run.quality import benchmark_folder

    folder = FOLDER / "disclosure"
    shutil.rmtree(folder, ignore_errors=True)
    demo_folder(folder)
    benchmark_folder(folder)
    command = [sys.executable, "-m", "stocktake", "disclosure", str(folder)]
    one = clock(lambda: subprocess.run(command, capture_output=True, check=True))
    (ours,) = alternate(1 if quick else 3, one, warm=False)
    compare("disclosure, 53 organisations x 3 groups x 2 waves", ours, "limit", 10, 1, "of the limit")
    if quick:
        return
    large = FOLDER / "disclosure of many"
    shutil.rmtree(large, ignore_errors=True)
    make = f"from data import grouped_folder; from pathlib import Path; grouped_folder(Path({str(large)!r}), 6300, 120)"
    subprocess.run([sys.executable, "-c", make], check=True, cwd=Path(__file__).parent)
    seconds, most = of_process([sys.executable, "-m", "stocktake", "benchmark", str(large)])
    what = "benchmark with disclosure control, 6,300 organisations x 3 groups of about 40"
    compare(f"{what}: time", seconds, "limit", 300, 1, "of the limit")
    compare(f"{what}: peak memory", most / MB, "limit", 4 * GB / MB, 1, "of the limit", "MB")


def bench_trends(quick: bool) -> None:
    """Percentages by year and group against Polars by hand, and the whole demo of trends against a limit."""
    from data import FOLDER

    from stocktake.run.trends_demo import history_folder
    from trends import by_hand, frames, ours, years_of

    folder = FOLDER / "trends"
    shutil.rmtree(folder, ignore_errors=True)
    history_folder(folder)
    years = years_of(folder)
    tables = frames(folder, years)
    here, there = ours(years), by_hand(tables)
    furthest = max(abs(here.get(key, 0.0) - value) for key, value in there.items())
    print(f"trends: {len(there):,} percentages, at most {furthest:.1g} apart; answers that nobody gave are ours alone")
    mine, hand = alternate(3 if quick else 5, clock(lambda: ours(years)), clock(lambda: by_hand(tables)))
    compare("percentages by group, 11 years x 16 questions", mine, "polars, a group_by each", hand, 1, "as fast")
    command = [sys.executable, "-m", "stocktake", "demo", "trends", "--out", str(folder / "demo")]
    one = clock(lambda: subprocess.run(command, capture_output=True, check=True))
    (whole,) = alternate(1, one, warm=False)
    compare("demo trends: 13 years, 64 pages with their files", whole, "limit", 90, 1, "of the limit")


def bench_national(quick: bool) -> None:
    """National tables of thousands of organisations, by the command: time and memory against limits."""
    from data import FOLDER

    folder = FOLDER / "national"
    shutil.rmtree(folder, ignore_errors=True)
    # In a process of its own: the memory that this one has taken would count as that of those it starts.
    make = f"from data import two_waves_folder; from pathlib import Path; two_waves_folder(Path({str(folder)!r}), 6300)"
    subprocess.run([sys.executable, "-c", make], check=True, cwd=Path(__file__).parent)
    subprocess.run([sys.executable, "-m", "stocktake", "benchmark", str(folder)], check=True, capture_output=True)
    command = [
        sys.executable,
        "-m",
        "stocktake",
        "report",
        str(folder),
        "--edition",
        "national",
        "--organisation",
        "T00001",
    ]
    taken = [of_process(command) for _ in range(1 if quick else 3)]
    seconds, most = [t for t, _ in taken], max(m for _, m in taken)
    what = "national tables, 6,300 organisations x 40, 2 waves"
    compare(f"{what}: time", statistics.median(seconds), "limit", 60, 1, "of the limit")
    compare(f"{what}: peak memory", most / MB, "limit", 1.5 * GB / MB, 1, "of the limit", "MB")


def bench_audit(quick: bool) -> None:
    """A simulated collection's intake, results and packs by the command, against limits and against reading the files alone."""
    import openpyxl
    from data import FOLDER

    from stocktake.run.audit_demo import audit_folder, simulated_returns

    folder = FOLDER / "audit"
    shutil.rmtree(folder, ignore_errors=True)
    audit_folder(folder)
    many = simulated_returns(folder)

    def by_command(*words: str) -> float:
        start = perf_counter()
        # Intake ends with 1 where a file was refused, as one of these is.
        done = subprocess.run([sys.executable, "-m", "stocktake", *words], capture_output=True, check=False)
        if done.returncode not in (0, 1):
            raise subprocess.CalledProcessError(done.returncode, words, done.stdout, done.stderr)
        return perf_counter() - start

    def read_alone() -> None:
        for path in sorted((folder / "returns").glob("*.xlsx")):
            if path.name != "notes from a telephone call.xlsx":
                for sheet in openpyxl.load_workbook(path, read_only=True).worksheets:
                    for _ in sheet.iter_rows(values_only=True):
                        pass

    seconds = by_command("audit", "intake", str(folder))
    compare(f"intake of {many} returns", seconds * 500 / many, "limit for 500", 60, 1, "of the limit")
    compare(
        f"intake of {many} returns, two cores",
        seconds,
        "openpyxl reading them, one core",
        clock(read_alone)(),
        2,
        "as long",
    )
    compare(
        "figures of all, small numbers withheld", by_command("benchmark", str(folder)), "limit", 30, 1, "of the limit"
    )
    compare("packs of 44 areas as PDF", by_command("report", str(folder), "--all"), "limit", 60, 1, "of the limit")


def bench_editions(quick: bool) -> None:
    """Decks, workbooks and the site of 53 organisations, by the command; and how fast and heavy the pages are."""
    from data import FOLDER

    from stocktake.run.folder import demo_folder
    from stocktake.run.quality import benchmark_folder

    folder = FOLDER / "editions"
    shutil.rmtree(folder, ignore_errors=True)
    demo_folder(folder)
    benchmark_folder(folder)

    def timed(*command: str) -> float:
        for made in ("reports", "site"):
            shutil.rmtree(folder / made, ignore_errors=True)
        whole = [sys.executable, "-m", "stocktake", command[0], str(folder), *command[1:]]
        return clock(lambda: subprocess.run(whole, capture_output=True, check=True))()

    rounds = 1 if quick else 3
    both = "trust,service-groups"
    for what, limit, command in (
        ("53 decks (trust edition)", 60, ("report", "--all", "--format", "pptx")),
        ("53 workbooks as XLSX and ODS (trust edition)", 30, ("report", "--all", "--format", "xlsx,ods")),
        (
            "106 workbooks as XLSX and ODS (both editions)",
            30,
            ("report", "--all", "--format", "xlsx,ods", "--edition", both),
        ),
        ("106 decks (both editions)", 60, ("report", "--all", "--format", "pptx", "--edition", both)),
        ("the whole site of 53 trusts", 30, ("site",)),
    ):
        (ours,) = alternate(rounds, lambda command=command: timed(*command), warm=False)  # type: ignore[misc]
        compare(f"{what}, {CORES} cores", ours, "limit", limit, 1, "of the limit")
    bench_pages(folder / "site")


def bench_pages(site: Path) -> None:
    """The heaviest trust page with its styles and script, compressed; and how long a page takes to answer a click."""
    heaviest = max(p.stat().st_size for p in site.glob("trusts/*.html"))
    compare("heaviest summary of a trust", heaviest / 1000, "limit", 60, 1, "of the limit", "kB")
    frontend = (site / "static" / "nhsuk-frontend.css").stat().st_size
    compare("the frontend's stylesheet, reduced", frontend / 1000, "limit", 40, 1, "of the limit", "kB")
    compare("the whole site of 53 trusts", size_of(site), "limit", 25, 1, "of the limit", "MB")
    workbook = Path(__file__).parent.parent.parent / "shared" / "published" / "adult_inpatient_2022_benchmark.ods"
    if workbook.is_file():
        compare(
            "the site of the official 133 trusts", size_of(official(workbook)), "limit", 35, 1, "of the limit", "MB"
        )
    interact(many_organisations(133))


def size_of(folder: Path) -> float:
    """Megabytes of all files of a folder."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / MB


def official(workbook: Path) -> Path:
    """The site of an official workbook."""
    from data import FOLDER

    from stocktake.run.site import make_site
    from stocktake.run.workbook import published_folder

    folder = FOLDER / "official"
    shutil.rmtree(folder, ignore_errors=True)
    published_folder(workbook, folder)
    return make_site(folder).parent


def bench_site(quick: bool) -> None:
    """The site of 6,300 organisations by 40 questions: time, memory of all processes together, and room on disk."""
    from data import FOLDER

    folder = FOLDER / "national"
    if not (folder / "results").is_dir():
        bench_national(True)
    process = subprocess.Popen([sys.executable, "-m", "stocktake", "site", str(folder)], stdout=subprocess.DEVNULL)
    start, most = perf_counter(), 0.0
    while process.poll() is None:
        most = max(most, shared_memory(process.pid))
        sleep(0.5)
    seconds = perf_counter() - start
    assert process.returncode == 0
    what = "the site of 6,300 organisations x 40"
    compare(f"{what}: time", seconds, "limit", 300, 1, "of the limit")
    if most:
        compare(f"{what}: peak memory", most / MB, "limit", 2 * GB / MB, 1, "of the limit", "MB")
    compare(f"{what}: on disk", size_of(folder / "site"), "limit", GB / MB, 1, "of the limit", "MB")


def shared_memory(pid: int) -> float:
    """Bytes that a process and those it started hold, what they share counted once; nought where that is not told."""
    total, waiting = 0.0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            told = Path(f"/proc/{one}/smaps_rollup").read_text()
            waiting += map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split())
        except OSError:
            continue
        total += sum(1024 * int(line.split()[1]) for line in told.splitlines() if line.startswith("Pss:"))
    return total


def many_organisations(count: int) -> Path:
    """A site of so many organisations by 56 measures."""
    from data import FOLDER, wide_folder

    from stocktake.run.quality import benchmark_folder
    from stocktake.run.site import make_site

    folder = FOLDER / f"wide-{count}"
    if not (folder / "site" / "index.html").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        wide_folder(folder, count)
        benchmark_folder(folder)
        make_site(folder)
    return folder / "site"


CLICKS = """
(selector, change) => {
  const time = [];
  for (let i = 0; i < 15; i++) {
    const start = performance.now();
    change === null ? document.querySelector(selector).click() : (() => {
      const field = document.querySelector(selector);
      field.value = change[i % change.length];
      ['input', 'change'].forEach(name => field.dispatchEvent(new Event(name, {bubbles: true})));
    })();
    document.body.getBoundingClientRect();
    time.push(performance.now() - start);
  }
  return time.sort((a, b) => a - b)[7];
}
"""


def interact(site: Path) -> None:
    """What a click costs on the largest pages, its layout included."""
    chromium = next((p for n in ("chromium", "chromium-browser") if (p := shutil.which(n))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        print("interaction: needs Chromium (apt-get install chromium) and playwright; left out.")
        return
    measure_file = next(p for p in sorted(site.glob("measures/Q*.html")))
    jobs = (
        ("sort a list of 133", measure_file, "[data-list] thead th:nth-child(3) button", None),
        ("filter a list of 133 and its charts", measure_file, "#find", ["1", "2", "", "12"]),
        ("sort a heat map of 133 by 45", site / "heatmap.html", "[data-list] thead th:nth-child(6) button", None),
        ("filter a heat map of 133", site / "heatmap.html", "#band", ["below", "above", "chance", ""]),
        ("compare five of 133 on 56 measures", site / "compare.html", "#c2", ["T00002", "T00003", "T00004", ""]),
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for what, path, selector, change in jobs:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
            page.goto(f"file://{path}#?own=T00000,T00001" if path.name == "compare.html" else f"file://{path}")
            took = page.evaluate(f"([selector, change]) => ({CLICKS})(selector, change)", [selector, change])
            compare(f"{what}, CPU slowed 4 times", took / 1000, "limit", 0.1, 1, "of the limit")
            page.close()
        browser.close()


BENCHES = {
    "survey": bench_survey,
    "large": bench_large,
    "size": bench_size,
    "spark": bench_spark,
    "sources": bench_sources,
    "counts": bench_counts,
    "many": bench_many,
    "national": bench_national,
    "site": bench_site,
    "reports": bench_reports,
    "printers": bench_printers,
    "disclosure": bench_disclosure,
    "features": bench_features,
    "trends": bench_trends,
    "editions": bench_editions,
    "audit": bench_audit,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Stocktake's benchmarks, as ratios to a peer or a limit.")
    parser.add_argument("--quick", action="store_true", help="1 million rows for 10, and no slow peers")
    parser.add_argument("--only", default=",".join(BENCHES), help="benches, separated by commas (default: all)")
    parser.add_argument("--measure", nargs=3, metavar=("WHO", "PATH", "ORGANISATIONS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        who, path, organisations = given.measure
        measure(who, Path(path), int(organisations))
        return
    chosen = given.only.split(",")
    if unknown := [name for name in chosen if name not in BENCHES]:
        print(f"No bench named {', '.join(unknown)}; there are {', '.join(BENCHES)}.")
        return
    print_row("what", "ours", "against", "theirs", "ratio", "target", "")
    for name in chosen:
        PART[0] = name
        try:
            BENCHES[name](given.quick)
        except subprocess.CalledProcessError as error:
            print(f"{name}: stopped; {error} {error.stderr!s}")
        except Exception as error:
            print(f"{name}: stopped; {type(error).__name__}: {error}")
        # After each part, so that a run that is stopped keeps what it has.
        keep(given.quick)


def keep(quick: bool) -> None:
    """Write what was found, beside what was found of other parts before in the same way."""
    from data import FOLDER

    path = FOLDER / "results.json"
    before = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    rows = before.get("rows", []) if before.get("quick") == quick else []
    made = {r["part"] for r in FOUND}
    found = [r for r in rows if r["part"] not in made] + FOUND
    told = {"quick": quick, "date": date.today().isoformat(), "machine": machine(), "rows": found}
    FOLDER.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1), "utf-8")


def machine() -> dict[str, str]:
    """What the figures were found on, and with which versions."""
    told = {"processor": platform.processor() or platform.machine(), "cores": str(CORES), "system": platform.system()}
    info = Path("/proc/cpuinfo")
    if info.is_file():
        models = [s.partition(":")[2].strip() for s in info.read_text().splitlines() if s.startswith("model name")]
        told["processor"] = models[0] if models else told["processor"]
    told["python"] = platform.python_version()
    for name in (
        "stocktake",
        "numpy",
        "scipy",
        "polars",
        "pyarrow",
        "pandas",
        "statsmodels",
        "svy",
        "pyspark",
        "duckdb",
        "typst",
        "weasyprint",
        "playwright",
    ):
        try:
            told[name] = version(name)
        except PackageNotFoundError:
            continue
    return told


if __name__ == "__main__":
    # Before anything is imported that counts the cores.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    main()
