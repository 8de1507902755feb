"""Counts that travel: the sum of what trusts count is what one place counts of all, and what does not belong is refused."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import pair_tables
from stocktake.problems import BlockedError, StocktakeError
from stocktake.run.benchmark import results_of_waves
from stocktake.run.core import Run
from stocktake.run.counting import combine_files, count_folder
from stocktake.run.quality import benchmark_folder
from stocktake.run.settings import load_instrument, read_settings
from stocktake.run.waves import waves_of_folder
from stocktake.survey import counts as counts_module
from stocktake.survey import wave as wave_module
from stocktake.survey.coarsening import coarsened
from stocktake.survey.counted import CountedWave, combine, summed
from stocktake.survey.counts import PairBlock
from stocktake.survey.scores import cell_respondents, score
from stocktake.survey.weights import national_shares

INSTRUMENT: dict[str, Any] = {
    "code": "own",
    "title": "Our own survey",
    "year": 2024,
    "columns": {"outcome": "outcome"},
    "outcomes": {"useable": [1], "undeliverable": [2], "died": [3], "other": [6]},
    "sections": [{"code": "S1", "number": 1, "title": "All"}],
    "questions": [
        {
            "code": code,
            "text": "Good?",
            "section": "S1",
            "comparable": {2023: code},
            "options": [{"code": 1, "label": "Yes", "score": 10}, {"code": 2, "label": "Partly", "score": 5}, {"code": 3, "label": "No", "score": 0}],
        }
        for code in ("Q1", "Q2")
    ],
    "demographics": [
        {"code": "age", "title": "Age", "kind": "number", "options": [{"code": 1, "label": "young", "from": 16, "to": 35}, {"code": 2, "label": "middle", "from": 36, "to": 65}, {"code": 3, "label": "old", "from": 66}]},
        {"code": "sex", "title": "Sex", "options": [{"code": 1, "label": "F"}, {"code": 2, "label": "M"}]},
    ],
    "cells": ["age", "sex"],
    "method": {"minimum_answers": 1, "minimum_base": 2, "draws": 20},
}  # fmt: skip
TRUSTS = ("T1", "T2", "T3", "T4")


def people(year: int = 2024, seed: int = 1, many: int = 60) -> pl.DataFrame:
    rng = np.random.default_rng(seed + year)
    size = many * len(TRUSTS)
    return pl.DataFrame(
        {
            "respondent": [f"r{year}-{i}" for i in range(size)],
            "organisation": [TRUSTS[i % len(TRUSTS)] for i in range(size)],
            "age": rng.integers(16, 90, size),
            "sex": rng.integers(1, 3, size),
            "Q1": rng.integers(1, 4, size),
            "Q2": [None if v == 0 else int(v) for v in rng.integers(0, 4, size)],
        }
    )


def write(
    folder: Path,
    own: tuple[str, ...] = TRUSTS,
    *,
    years: tuple[int, ...] = (2024,),
    sample: bool = False,
    change: dict[str, Any] | None = None,
    answers: pl.DataFrame | None = None,
) -> Path:
    """A folder with the respondents of some trusts, and their sample with two more people each."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own.yaml").write_text(yaml.safe_dump(INSTRUMENT | (change or {})), "utf-8")
    (folder / "organisations.csv").write_text("code,name\n" + "".join(f"{c},Trust {c}\n" for c in own), "utf-8")
    waves = []
    for year in years:
        rows = (people(year) if answers is None else answers).filter(pl.col("organisation").is_in(own))
        rows.write_csv(folder / f"responses-{year}.csv")
        wave: dict[str, Any] = {"year": year, "responses": f"responses-{year}.csv"}
        if sample:
            more = pl.DataFrame(
                {"respondent": [f"{c}-{k}" for c in own for k in (2, 3)], "organisation": [c for c in own for _ in (2, 3)], "outcome": [k for _ in own for k in (2, 3)]}
            )  # fmt: skip
            told = rows.select("respondent", "organisation", outcome=pl.lit(1, pl.Int64))
            pl.concat([told, more]).write_csv(folder / f"sample-{year}.csv")
            wave["sample"] = f"sample-{year}.csv"
        waves.append(wave)
    (folder / "survey.yaml").write_text(yaml.safe_dump({"instrument": "own.yaml", "waves": waves}), "utf-8")
    return folder


def from_counts(folder: Path, files: dict[int, Path], own: tuple[str, ...] = TRUSTS) -> Path:
    """A folder whose waves are counts files in place of respondents."""
    write(folder, own, years=())
    waves = [{"year": year, "counts": str(path)} for year, path in files.items()]
    (folder / "survey.yaml").write_text(yaml.safe_dump({"instrument": "own.yaml", "waves": waves}), "utf-8")
    return folder


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted((folder / "results").glob("*.csv"))}


def run_with_pairs(folder: Path) -> Run:
    """The run of a folder whose section errors come from pairs, as those of counts do."""
    chosen = read_settings(folder)
    survey = load_instrument(chosen, folder)
    return results_of_waves(survey, chosen, waves_of_folder(folder, chosen, survey, pairs=True), folder)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_sum_is_scored_to_the_last_byte_as_one_place_is(tmp_path: Path, seed: int) -> None:
    """However the tables of counts lie in memory: numbers that are added in another order round otherwise."""
    answers = people(2024, seed, many=400)
    whole = run_with_pairs(write(tmp_path / "all", answers=answers))
    whole.write(tmp_path / "all" / "results")
    files = []
    for code in TRUSTS:
        own = write(tmp_path / code, (code,), answers=answers.filter(pl.col("organisation") == code))
        files += [path for path, _ in count_folder(own)]
    combine_files(tmp_path / "2024.counts", files)
    folder = from_counts(tmp_path / "sum", {2024: tmp_path / "2024.counts"})
    benchmark_folder(folder)
    assert bytes_of(folder) == bytes_of(tmp_path / "all")
    survey, counts = whole.survey, whole.counted[0].counts
    loaded = CountedWave.load(tmp_path / "2024.counts").for_organisations(TRUSTS).counts
    assert counts is not None
    direct = [score(c, survey).estimates for c in (counts, loaded)]
    assert direct[0].value.tobytes() == direct[1].value.tobytes()
    assert direct[0].standard_error.tobytes() == direct[1].standard_error.tobytes()


@pytest.mark.parametrize("sample", [False, True])
def test_the_sum_of_what_trusts_count_is_what_one_place_counts(tmp_path: Path, sample: bool) -> None:
    """Every table is the same to the last byte, findings that compare trusts among them, in whatever order files come."""
    years = (2024, 2023)
    whole = run_with_pairs(write(tmp_path / "all", years=years, sample=sample))
    whole.write(tmp_path / "all" / "results")
    files: dict[int, list[Path]] = {year: [] for year in years}
    for code in TRUSTS:
        for path, part in count_folder(write(tmp_path / code, (code,), years=years, sample=sample)):
            files[part.year].append(path)
            assert part.present() == (code,) and part.coarsened is None
    sums = {}
    for year, own in files.items():
        sums[year] = tmp_path / f"{year}.counts"
        total = combine_files(sums[year], [own[2], own[0], own[3], own[1]])
        assert total.present() == ("T3", "T1", "T4", "T2") and len(total.sources) == 4 * (1 + sample)
    folder = from_counts(tmp_path / "sum", sums)
    run, _ = benchmark_folder(folder)
    assert bytes_of(folder) == bytes_of(tmp_path / "all")
    left = ("file", "row", "value", "expected")
    found, expected = (
        r.findings.filter(pl.col("check").is_in(["empty cell", "weight capped"])).drop(left) for r in (run, whole)
    )
    assert found.sort("year", "check", "column").equals(expected.sort("year", "check", "column"))
    assert run.results.provenance["inputs"]["counts 2024"]["name"] == "2024.counts"
    # Respondents are read nowhere: what asks for them again says so.
    with pytest.raises(StocktakeError, match="2024 was counted elsewhere"):
        list(run.counted[0].batches())
    # The usual way looks respondents up again for section errors, and agrees to the last digits that are printed.
    usual, _ = benchmark_folder(tmp_path / "all")
    for name, table in usual.public.tables.items():
        assert table.equals(run.public.tables[name]), name


def test_a_file_keeps_all_of_it_and_no_row(tmp_path: Path) -> None:
    answers = people().with_columns(Q1=pl.when(pl.col("respondent") == "r2024-8").then(9).otherwise("Q1"))
    folder = write(tmp_path / "a", answers=answers, sample=True)
    ((path, part),) = count_folder(folder, tmp_path / "out")
    assert path == tmp_path / "out" / "own-2024.counts"
    read = CountedWave.load(path)
    for name in ("respondents", "answers"):
        np.testing.assert_equal(getattr(read.counts, name), getattr(part.counts, name))
    np.testing.assert_equal(pair_tables(read.counts), pair_tables(part.counts))
    assert (read.rows, read.set_aside, read.asked, read.sources) == (240, 0, {"Q1", "Q2", "age", "sex"}, part.sources)
    assert np.array_equal(read.fieldwork.invited, [[62] * 4]) and np.array_equal(read.fieldwork.died, [[1] * 4])
    odd = read.findings.filter(pl.col("check") == "code not in the question")
    assert odd["row"].to_list() == [0] and odd["value"].to_list() == ["1 rows"]
    assert b"r2024-8" not in path.read_bytes()
    assert summed(part.findings.clear()).height == 0
    # Counted once, a wave can be counted on, but not again.
    with pytest.raises(StocktakeError, match="the wave of 2024 is counted already"):
        count_folder(from_counts(tmp_path / "b", {2024: path}))


@settings(max_examples=12, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 240), max_size=4),
    seed=st.integers(0, 1000),
    order=st.randoms(use_true_random=False),
)
def test_any_split_in_any_order_adds_up(cuts: list[int], seed: int, order: Any) -> None:
    """Counts of any parts of the respondents, empty ones too, add to the counts of all (the oracle counts row by row)."""
    from tempfile import TemporaryDirectory

    from stocktake.survey.tables import open_table
    from stocktake.survey.wave import counted_of, read_wave

    with TemporaryDirectory() as folder:
        write(Path(folder))
        survey = load_instrument(read_settings(Path(folder)), Path(folder))
    rows = people(seed=seed)
    ends = sorted({0, 240, *cuts})
    parts = []
    for k, (a, b) in enumerate(pairwise(ends)):
        for code in TRUSTS:
            own = rows.slice(a, b - a).filter(pl.col("organisation") == code)
            if own.height:
                # Names of its own, for nobody may be in two files.
                called = f"{code}-{k}"
                table = open_table(own.with_columns(organisation=pl.lit(called)), called)
                wave = read_wave(survey, 2024, (called,), table, None, survey.method, pairs=True)
                parts.append((called, counted_of(wave, survey, [called])))
    order.shuffle(parts)
    total = combine(parts)
    assert total.rows == 240 and total.counts.respondents.sum() == 240
    for position, (code, size) in enumerate(total.counts.layout.questions[:2]):
        found = total.counts.answers[position].sum(axis=(0, 1))
        oracle = [0] * size
        for value in rows[code].to_list():
            oracle[value or 0] += 1
        assert found.tolist() == oracle


def alone(tmp_path: Path, code: str, name: str = "", **more: Any) -> Path:
    ((path, _),) = count_folder(write(tmp_path / (name or code), (code,), **more), tmp_path / "files" / (name or code))
    return path


def refused(*paths: Path) -> list[str]:
    with pytest.raises(StocktakeError) as error:
        combine_files(paths[0].with_name("sum.counts"), paths)
    assert not paths[0].with_name("sum.counts").exists()
    return list(error.value.problems)


def test_what_does_not_belong_together_is_refused_all_at_once(tmp_path: Path) -> None:
    one, two = alone(tmp_path, "T1"), alone(tmp_path, "T2")
    combine_files(tmp_path / "both.counts", [one, two])
    # The same file twice, and a sum beside one of its parts.
    assert len(refused(one, one)) == 2
    said = refused(two, tmp_path / "both.counts")
    assert any("organisation T2 is counted in own-2024.counts already" in s for s in said)
    assert any("both.counts: the file with SHA-256" in s and "nobody may be counted twice" in s for s in said)
    other = alone(tmp_path, "T3", "other", change={"title": "Another title"})
    rules = alone(tmp_path, "T3", "rules", change={"method": {"minimum_answers": 1, "routed_past": "keep"}})
    asked = alone(tmp_path, "T3", "asked", sample=True)
    for path, words in (
        (other, "the instrument differs"),
        (rules, "a setting of what is counted differs"),
        (asked, "that there is a sample file differs"),
    ):
        (problem,) = refused(one, path)
        assert words in problem and "do not add" in problem
    # Settings that decide nothing of what is counted may differ.
    free = alone(tmp_path, "T3", "free", change={"method": {"minimum_answers": 1, "minimum_base": 5, "cap": None}})
    combine_files(tmp_path / "three.counts", [one, two, free])
    part = CountedWave.load(one)
    renewed = replace(CountedWave.load(two), rules_version=2, year=2023)
    with pytest.raises(StocktakeError) as error:
        combine([("a", part), ("b", renewed)])
    assert [p.split(";")[0] for p in error.value.problems] == [
        "b: the version of the rules differs from that of a",
        "b: the year differs from that of a",
    ]
    with pytest.raises(StocktakeError, match="expected at least one"):
        combine([])


def test_counts_of_another_survey_are_not_benchmarked(tmp_path: Path) -> None:
    path = alone(tmp_path, "T1")
    part = CountedWave.load(path)
    for changed, words in (
        (replace(part, survey="theirs"), "counted for the survey 'theirs'; expected 'own'"),
        (replace(part, instrument="0"), "counted for another version of the instrument"),
        (replace(part, rules_version=9), "counted by version 9 of the rules"),
        (replace(part, rules={**part.rules, "minimum_answers": 7}), "counted with minimum_answers 7; expected 1"),
        (replace(part, year=2023), "counted of 2023; expected 2024"),
    ):
        changed.save(tmp_path / "changed.counts")
        folder = from_counts(tmp_path / "sum", {2024: tmp_path / "changed.counts"})
        with pytest.raises(StocktakeError, match=words):
            benchmark_folder(folder)
    folder = from_counts(tmp_path / "few", {2024: path}, ("T2", "T3"))
    with pytest.raises(StocktakeError, match="organisation 'T1' is not in the list of organisations"):
        benchmark_folder(folder)
    # One that took no part has no results, and with a sample file it is said.
    path = alone(tmp_path, "T1", "asked", sample=True)
    part = CountedWave.load(path).for_organisations(TRUSTS)
    part.fieldwork.invited[0, 1] = 3
    part.save(path)
    run, _ = benchmark_folder(from_counts(tmp_path / "one", {2024: path}))
    assert run.findings.filter(pl.col("check") == "no respondents")["value"].to_list() == ["T2"]


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = alone(tmp_path, "T1")
    part = CountedWave.load(path)
    damaged = tmp_path / "damaged.counts"
    damaged.write_bytes(path.read_bytes()[:-100])
    words = tmp_path / "words.counts"
    words.write_text("respondents", "utf-8")
    shorter = replace(part, counts=replace(part.counts, respondents=part.counts.respondents[:, :-1]))
    shorter.save(tmp_path / "shorter.counts")
    below = replace(part, counts=replace(part.counts, respondents=part.counts.respondents - 1000))
    below.save(tmp_path / "below.counts")
    bad = [damaged, words, tmp_path / "shorter.counts", tmp_path / "below.counts", tmp_path / "none.counts"]
    said = refused(path, *bad)
    assert said[:-1] == [f"{p.name}: not a file of counts, or a damaged one." for p in bad[:-1]]
    assert said[-1] == f"{bad[-1]}: no such file."
    folder = from_counts(tmp_path / "sum", {2024: words})
    with pytest.raises(StocktakeError, match=r"words\.counts: not a file of counts"):
        benchmark_folder(folder)
    monkeypatch.setattr("stocktake.survey.counted.FORMAT", 3)
    with pytest.raises(StocktakeError, match=r"has format 2 \(stocktake .*\); this program reads format 3"):
        CountedWave.load(path)


def test_what_cannot_be_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "a")
    with pytest.raises(StocktakeError, match="expected a number of at least 2"):
        count_folder(folder, minimum_cell=1)
    with pytest.raises(StocktakeError, match="a reference says what merging small cells does"):
        count_folder(folder, reference=tmp_path / "x")
    (folder / "responses-2024.csv").write_text("respondent,organisation,age,sex,Q1\nr,T1,20,1,1\n", "utf-8")
    with pytest.raises(BlockedError, match="Q2"):
        count_folder(folder)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "survey.yaml").write_text("{instrument: own.yaml, workbook: x.ods}", "utf-8")
    with pytest.raises(StocktakeError, match="nobody can be counted"):
        count_folder(tmp_path / "b")
    for wave, words in (
        (
            {"year": 2024, "responses": {"databse": "a", "query": "b"}},
            r"responses\.query\.databse: this field is not known here",
        ),
        ({"year": 2024, "responses": 5}, r"responses\.file: input should be a valid string"),
        ({"year": 2024}, "has responses or counts, one of the two"),
        ({"year": 2024, "responses": "a.csv", "counts": "a.counts"}, "has responses or counts, one of the two"),
        ({"year": 2024, "counts": "a.counts", "sample": "s.csv"}, "expected no sample beside them"),
    ):
        (folder / "survey.yaml").write_text(yaml.safe_dump({"instrument": "own.yaml", "waves": [wave]}), "utf-8")
        with pytest.raises(StocktakeError, match=words):
            read_settings(folder)


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("kind", ["linearised", "classical"])
def test_counts_in_blocks_of_organisations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool, kind: str
) -> None:
    """Where the pairs of all do not fit in memory they are counted, kept, added and used for some organisations at a time."""
    change = {"method": INSTRUMENT["method"] | {"standard_error": kind}}
    whole = write(tmp_path / "whole", change=change)
    ((path, part),) = count_folder(whole)
    once = CountedWave.load(path)
    assert once.counts.pairs is not None and [b.organisations.tolist() for b in once.counts.pairs] == [[0, 1, 2, 3]]
    # 7 strata and 4 by 4 answers of one pair: 112 places an organisation, so that two organisations fit.
    monkeypatch.setattr(counts_module, "PAIR_BUDGET", 335)
    if not kept:
        monkeypatch.setattr(wave_module, "KEEP_ROWS", 1)
    ((path, made),) = count_folder(whole, tmp_path / "blocks")
    blocks = CountedWave.load(path)
    assert blocks.counts.pairs is not None and [b.organisations.tolist() for b in blocks.counts.pairs] == [
        [0, 1],
        [2, 3],
    ]
    assert all(block.load()[0].shape == (2, 7, 4, 4) for block in blocks.counts.pairs)
    np.testing.assert_equal(pair_tables(blocks.counts), pair_tables(once.counts))
    np.testing.assert_equal(pair_tables(made.counts), pair_tables(part.counts))
    # From either, and from the sum of parts, come the same tables.
    parts = []
    for code in TRUSTS:
        ((alone_path, _),) = count_folder(write(tmp_path / code, (code,), change=change))
        parts.append(alone_path)
    added = combine_files(tmp_path / "sum.counts", parts[::-1])
    assert added.counts.pairs is not None and len(added.counts.pairs) == 4
    found = []
    for name, counts in (
        ("one", tmp_path / "whole" / "counts" / "own-2024.counts"),
        ("two", path),
        ("sum", tmp_path / "sum.counts"),
    ):
        folder = from_counts(tmp_path / f"from {name}", {2024: counts})
        write(folder, change=change, years=())
        (folder / "survey.yaml").write_text(
            yaml.safe_dump({"instrument": "own.yaml", "waves": [{"year": 2024, "counts": str(counts)}]}), "utf-8"
        )
        benchmark_folder(folder)
        found.append(bytes_of(folder))
    assert found[0] == found[1] == found[2]
    survey = load_instrument(read_settings(whole), whole)
    one, two = (coarsened(c, survey, 12) for c in (once, blocks))
    assert one.coarsened == two.coarsened and one.coarsened is not None and one.coarsened.people > 0
    np.testing.assert_equal(pair_tables(one.counts), pair_tables(two.counts))
    few = blocks.for_organisations(["T3", "T9", "T1"])
    assert few.counts.pairs is not None and [b.organisations.tolist() for b in few.counts.pairs] == [[2], [0]]
    assert np.array_equal(pair_tables(few.counts)[0][[2, 0]], pair_tables(once.counts)[0][[0, 2]])
    # What is changed after it was opened is refused when it is used.
    path.write_bytes(b"something else")
    with pytest.raises(StocktakeError, match="not a file of counts, or a damaged one, or changed since it was opened"):
        pair_tables(blocks.counts)


def test_a_block_of_organisations_that_are_not_there_is_refused(tmp_path: Path) -> None:
    ((path, part),) = count_folder(write(tmp_path / "a"))
    assert part.counts.pairs is not None
    tables = part.counts.pairs[0].load()
    few = [tuple(t[a:b] for t in tables) for a, b in ((0, 4), (0, 2), (2, 4), (0, 4))]
    every = [0, 1, 2, 3]
    for blocks in (
        # Outside the layout, twice, not in a row, truth values; nobody's, one block twice, some missing, of others.
        [([0, 1, 2, 4], few[0])],
        [([0, 1, 2, 2], few[0])],
        [([[0, 1], [2, 3]], few[0])],
        [([True, True, True, True], few[0])],
        [],
        [(every, few[0]), (every, few[0])],
        [([0, 1], few[1])],
        [([1, 0, 2, 3], few[0])],
    ):
        made = tuple(PairBlock(np.array(own), partial(tuple, held)) for own, held in blocks)
        replace(part, counts=replace(part.counts, pairs=made)).save(path)
        with pytest.raises(StocktakeError, match="not a file of counts, or a damaged one"):
            CountedWave.load(path)
    more = part.counts.table.copy()
    more[-1, 0, 0] += 1
    replace(part, counts=replace(part.counts, table=more)).save(path)
    with pytest.raises(StocktakeError, match="not a file of counts, or a damaged one"):
        CountedWave.load(path)
    halves = tuple(PairBlock(np.array(own), partial(tuple, held)) for own, held in (([2, 3], few[2]), ([0, 1], few[1])))
    replace(part, counts=replace(part.counts, pairs=halves)).save(path)
    np.testing.assert_equal(pair_tables(CountedWave.load(path).counts), pair_tables(part.counts))


def test_the_sum_may_take_the_place_of_a_part(tmp_path: Path) -> None:
    """Organisations that several parts list are in one block alone, where somebody answered for them."""
    parts = []
    for code in ("T1", "T2"):
        folder = write(tmp_path / code, answers=people().filter(pl.col("organisation") == code))
        ((path, _),) = count_folder(folder)
        parts.append(path)
    ((whole, _),) = count_folder(
        write(tmp_path / "both", answers=people().filter(pl.col("organisation").is_in(["T1", "T2"])))
    )
    total = combine_files(parts[1], parts)
    assert total.counts.pairs is not None and [b.organisations.tolist() for b in total.counts.pairs] == [[0], [1]]
    np.testing.assert_equal(pair_tables(total.counts), pair_tables(CountedWave.load(whole).counts))


def test_single_bits_that_flip_are_refused_in_words(tmp_path: Path) -> None:
    ((path, part),) = count_folder(write(tmp_path / "a"))
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(150):
        flipped = bytearray(whole)
        flipped[rng.integers(len(whole))] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        try:
            found = CountedWave.load(path)
        except StocktakeError:
            continue
        # In what no table depends on, such as the time of a member.
        np.testing.assert_equal(pair_tables(found.counts), pair_tables(part.counts))


def test_merging_small_cells_by_hand(tmp_path: Path) -> None:
    """One trust: 6 young women, 1 middle-aged woman, 5 old men, 2 old women. Below 3 the one joins the young women,
    nearest in age and of the same sex, and the two old women join the old men: of both cells one characteristic away
    they have fewer steps to go."""
    rows = [(20, 1, 1)] * 6 + [(40, 1, 3)] + [(70, 2, 1)] * 5 + [(70, 1, 3)] * 2
    answers = pl.DataFrame(
        {
            "respondent": [f"r{i}" for i in range(len(rows))],
            "organisation": ["T1"] * len(rows),
            "age": [r[0] for r in rows],
            "sex": [r[1] for r in rows],
            "Q1": [r[2] for r in rows],
            "Q2": [1] * len(rows),
        }
    )
    folder = write(tmp_path / "a", ("T1",), answers=answers)
    ((path, part),) = count_folder(folder, minimum_cell=3)
    told = part.coarsened
    assert told is not None and (told.minimum, told.people, told.cells) == (3, 3, 2)
    assert cell_respondents(part.counts).tolist() == [[7, 0, 0, 0, 0, 7]]
    # By hand: standardised to its own mix the score is the plain mean, 110 / 14; the two merged cells together have
    # 60 / 7 and 50 / 7, and of the mix they have 6 and 5 parts in 14, for the two cells left empty have no weight.
    before, after = 110 / 14, (6 * 60 / 7 + 5 * 50 / 7) / 11
    assert told.largest == pytest.approx(abs(after - before), rel=1e-9)
    assert told.reference == "the mix of all in this file"
    assert part.counts.respondents.sum() == 14 and part.counts.answers[0].sum() == 14
    run, _ = benchmark_folder(from_counts(tmp_path / "sum", {2024: path}, ("T1",)))
    (sentence,) = run.findings.filter(pl.col("check") == "small cells merged")["value"].to_list()
    assert sentence.startswith(f"3 people of 2 cells; no score of a question moves by more than {told.largest:.2f}")


def test_what_merging_does_is_told_and_adds(tmp_path: Path) -> None:
    """The effect that is told is what scores really change by, where the mix is that of the reference."""
    reference = alone(tmp_path, "T1", "reference")
    parts = []
    for code in ("T2", "T3"):
        folder = write(tmp_path / code, (code,))
        ((path, part),) = count_folder(folder, minimum_cell=12, reference=reference)
        survey = load_instrument(read_settings(folder), folder)
        shares = national_shares(cell_respondents(CountedWave.load(reference).counts))
        ((_, plain),) = count_folder(folder, tmp_path / "plain" / code)
        values = [score(c.counts, survey, shares=shares).estimates.value[0, :2] for c in (plain, part)]
        told = part.coarsened
        assert told is not None and told.reference == "the mix of all in the file of reference"
        assert told.largest == pytest.approx(np.abs(values[1] - values[0]).max(), abs=1e-12)
        cells = cell_respondents(part.counts)
        assert cells[cells > 0].min() >= 12 and told.people > 0
        parts.append(path)
    total = combine_files(tmp_path / "sum.counts", [*parts, reference])
    made = [CountedWave.load(p).coarsened for p in parts]
    assert total.coarsened is not None and total.coarsened.people == sum(m.people for m in made if m)
    assert total.coarsened.largest == max(m.largest for m in made if m)
    # A trust of fewer people than that keeps a single cell.
    few = people().filter(pl.col("organisation") == "T4").head(5)
    ((_, part),) = count_folder(write(tmp_path / "few", ("T4",), answers=few), minimum_cell=12)
    assert (cell_respondents(part.counts) > 0).sum() == 1
    nobody = coarsened(part.for_organisations(("T9",)), survey, 5)
    assert nobody.coarsened is not None and nobody.coarsened.largest == 0


def test_what_merging_does_to_a_service_group_is_told_too(tmp_path: Path) -> None:
    """Scores of a group of few people move further than those of all, and the furthest of any is told."""
    groups = [{"code": c, "title": c, "value": v} for v, c in enumerate(("day", "night"), start=1)]
    answers = people().with_columns(service=pl.when(pl.col("respondent").str.ends_with("0")).then(2).otherwise(1))
    folder = write(tmp_path / "a", answers=answers, change={"groups": groups})
    ((_, part),) = count_folder(folder, minimum_cell=2)
    ((_, plain),) = count_folder(folder, tmp_path / "plain")
    survey = load_instrument(read_settings(folder), folder)
    moved = {}
    for group in (None, "day", "night"):
        shares = national_shares(cell_respondents(plain.counts, group))
        values = [score(c.counts, survey, group=group, shares=shares).estimates.value[:, :2] for c in (plain, part)]
        moved[group] = float(np.nanmax(np.abs(values[1] - values[0])))
    assert part.coarsened is not None and part.coarsened.largest == pytest.approx(max(moved.values()), abs=1e-12)
    assert moved["night"] > 5 * moved[None]
