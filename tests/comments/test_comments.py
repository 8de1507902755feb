"""Comments: what is screened, what is counted, and that nothing is quoted that nobody approved."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from commands import stocktake
from small_trends import write_survey
from stocktake.comments.review import COLUMNS, Comment, decisions, review_rows, review_text
from stocktake.comments.screening import Flag, first_names, redacted, screen
from stocktake.comments.simulate import simulated_comments
from stocktake.comments.themes import (
    Codebook,
    Theme,
    count_themes,
    library_codebook,
    load_codebook,
    parse_codebook,
    safe_total,
)
from stocktake.problems import StocktakeError
from stocktake.run.comments import make_comments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("My nurse Sarah Hill was kind.", "My nurse [name] was kind."),
        ("Dr. Okafor and Nurse Jones left.", "[name] and [name] left."),
        ("a worker called jenny helped, then they called back", "a worker called [name] helped, then they called back"),
        ("ask MR SMITH, or dr o'brien. Siobhan helped. Kwame helped.", "ask MR [name], or dr [name]. [name] helped. [name] helped."),
        ("jean-luc and Mary-Ann knew", "[name] and [name] knew"),
        ("sarah was great, and so was My CPN.", "[name] was great, and so was My CPN."),
        ("Then Tomasz came. Everyone was kind, as was the NHS.", "Then [name] came. Everyone was kind, as was the NHS."),
        ("I will mark my words; Will did not. But then Mark did.", "I will mark my words; Will did not. But then [name] did."),
        ("On 3/4/2024, the 5th of March and March 2024, in 2019 and on Tuesday", "On [date], the [date] and [date], in [date] and on [day]"),
        ("call 01632 960123 or +44 7700 900123", "call [phone number] or [phone number]"),
        ("write to a.b@example.org, see www.example.org/me or @me_there", "write to [email address] see [web address] or [account name]"),
        ("my number is 943 476 5919 and case 1234567", "my number is [NHS number] and case [long number]"),
        ("I live in SW1A 1AA, or LS1, aged 43", "I live in [postcode], or [postcode], [age]"),
        ("I'm 17 and my son is 12 years old", "[age] and my son is [age]"),
        ("They moved me to Maple Ward at St Luke's Hospital, ward 7b, near Mill Road.", "They moved me to [place] at [place], [place], near [place]."),
        ("Nothing here at all: 5 visits, 2 hours, 10 out of 10", "Nothing here at all: 5 visits, 2 hours, 10 out of 10"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_may_tell_who_somebody_is(text: str, expected: str) -> None:
    said = redacted(text, screen(text))
    # The comma after an address may belong to it.
    assert said.replace("], see", "] see") == expected.replace("], see", "] see")


def test_the_organisations_own_name_tells_nothing() -> None:
    text = "Everyone at Aldermoor Trust was kind."
    assert redacted(text, screen(text, ["Aldermoor Trust"])) == text
    assert redacted(text, screen(text)) == "Everyone at [name] [name] was kind."


@given(st.text(max_size=200))
def test_screening_takes_any_text(text: str) -> None:
    """Parts are in order, do not overlap and lie within; what is left holds nothing that was flagged, in its place."""
    flags = screen(text)
    ends = [0, *(x for f in flags for x in (f.begin, f.end)), len(text)]
    assert ends == sorted(ends) and all(f.begin < f.end for f in flags)
    kept = "".join(text[a:b] for a, b in zip(ends[::2], ends[1::2], strict=True))
    pieces = redacted(text, flags)
    assert len(pieces) == len(kept) + sum(len(f.kind) + 2 for f in flags)


@given(
    st.lists(
        st.sampled_from([*sorted(first_names())[:40], "07700 900123", "12/03/2021", "me@example.org", "AB1 2CD"]),
        max_size=6,
    )
)
def test_what_is_known_is_never_left(words: list[str]) -> None:
    text = "it was said by " + " and by ".join(w.capitalize() if w.isalpha() else w for w in words)
    said = redacted(text, screen(text))
    assert not any((w.capitalize() if w.isalpha() else w) in said for w in words)


def test_themes_by_hand() -> None:
    """'waits' belongs by its ending, 'can't wait' does not; a phrase may be broken over lines; 'kindness' is another word."""
    book = library_codebook()
    found = {t.code: t for t in book.themes}
    assert found["waiting"].found_in("So many WAITS.") and not found["waiting"].found_in("I can't wait!")
    assert found["waiting"].found_in("I can't wait, though I waited.")
    assert found["resources"].found_in("they are short of\n staff") and not found["staff"].found_in("short of staff")
    assert found["staff"].found_in("Kind people") and not found["staff"].found_in("kindness")
    assert found["crisis"].found_in("A&E was full")
    assert Theme(code="a", title="A", words=("x",)).excluded is None


def slow(theme: Theme, text: str) -> bool:
    """Word by word, without regular expressions."""
    words = "".join(c if c.isalnum() or c == "_" else " " for c in text.casefold()).split()

    def at(i: int, phrase: str) -> bool:
        parts = phrase.casefold().removesuffix("*").split()
        own = words[i : i + len(parts)]
        if len(own) < len(parts) or own[:-1] != parts[:-1]:
            return False
        return own[-1].startswith(parts[-1]) if phrase.endswith("*") else own[-1] == parts[-1]

    return any(at(i, w) for w in theme.words for i in range(len(words)))


WORDS = st.lists(
    st.sampled_from(["wait", "waits", "awaits", "nurse", "nurses", "side", "effects", "effect", "dose", "x"]),
    max_size=12,
)


@given(
    WORDS,
    st.lists(
        st.sampled_from(["wait", "wait*", "nurse*", "side effect*", "side effects", "dose"]), min_size=1, max_size=4
    ),
)
def test_themes_against_a_slow_search(words: list[str], chosen: list[str]) -> None:
    theme = Theme(code="t", title="T", words=tuple(chosen))
    assert theme.found_in(" ".join(words)) == slow(theme, " ".join(words))


@given(st.lists(st.integers(0, 12), min_size=1, max_size=8))
def test_no_count_of_a_few_follows(many: list[int]) -> None:
    """Whoever knows the total, that withheld counts are not none, and all others, cannot tell any to within five."""
    book = Codebook(themes=(Theme(code="t", title="T", words=("yes",)),))
    codes = [f"T{i}" for i in range(len(many))]
    comments = [(c, "yes") for c, n in zip(codes, many, strict=True) for _ in range(n)]
    counts = count_themes(book, codes, comments, 5)
    assert counts.count[:, 0].tolist() == many == counts.comments.tolist()
    hidden = counts.hidden[:, 0]
    assert all(hidden[i] for i, n in enumerate(many) if 0 < n < 5) and not hidden[[n == 0 for n in many]].any()
    if hidden.any() and safe_total(counts, 0, 5):
        total = sum(n for n, h in zip(many, hidden, strict=True) if h)
        others = int(hidden.sum()) - 1
        assert (total - others) - 1 >= 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("themes:\n- {code: a/b, title: A, words: [x]}", "has the character solidus"),
        ("themes:\n- {code: a, title: A, words: [x]}\n- {code: A, title: A, words: [x]}", "'A' repeats 'a'"),
        ("themes:\n- {code: a, title: A, words: ['*']}", "'*' holds no word"),
        ("themes:\n- {code: a, title: A, words: [x], not: ['a*b c']}", "has an asterisk inside"),
        ("themes: []", "themes"),
    ],
)
def test_what_is_no_codebook(text: str, expected: str) -> None:
    with pytest.raises(StocktakeError) as error:
        parse_codebook(text, "themes.yaml")
    assert expected in str(error.value) and "themes.yaml, line" in str(error.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A survey of six organisations with comments of two of them."""
    write_survey(tmp_path, "new", {2018: 0.4, 2019: 0.5})
    own = tmp_path / "new"
    settings = yaml.safe_load((own / "survey.yaml").read_text("utf-8"))
    settings["waves"][-1]["comments"] = "comments.csv"
    (own / "survey.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    rows = [("T0", f"The staff were kind, person {'x' * i}.") for i in range(7)]
    rows += [
        ("T1", "My nurse Sarah was kind."),
        ("T1", ""),
        ("T1", "=1+1, Trust 1 was fine"),
        ("T0", "Ring 01632 960123."),
    ]
    table = pl.DataFrame(rows, schema=["organisation", "comment"], orient="row")
    table.with_columns(respondent=pl.int_range(pl.len()), question=pl.lit("anything")).write_csv(own / "comments.csv")
    return own


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def decide(path: Path, **changes: tuple[str, str, str]) -> None:
    """Write decisions into a review file, by the number of the comment."""
    rows = rows_of(path)
    for row in rows:
        if row["comment"] in changes:
            row["decision"], row["quote"], row["reviewer"] = changes[row["comment"]]
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), "utf-8")


def test_nothing_is_quoted_before_somebody_approves(folder: Path) -> None:
    made = make_comments(folder)
    assert (made.comments, made.flagged, made.reviewed, made.quotes, made.warnings) == (10, 2, 0, 0, ())
    review = folder / "comments" / "review.csv"
    rows = rows_of(review)
    assert tuple(rows[0]) == COLUMNS and {r["decision"] for r in rows} == {""}
    whole = "".join(p.read_text("utf-8") for p in (folder / "comments").iterdir())
    assert "Sarah" not in whole and "01632" not in whole
    assert (
        rows[7]["text"] == "My nurse [name] was kind." and rows[7]["flags"] == "name" and rows[7]["themes"] == "staff"
    )
    assert rows[8]["text"] == "'=1+1, Trust 1 was fine"
    assert rows_of(folder / "comments" / "quotes.csv") == []
    # One of seven and one of one: the one is withheld, and the seven with it; the total would then be what it is.
    themes = {r["organisation"]: r for r in rows_of(folder / "comments" / "themes.csv")}
    assert themes["T1"]["staff"] == themes["T0"]["staff"] == "[c]" and themes["T2"]["staff"] == "0"
    assert themes["T1"]["comments"] == "[c]" and themes["T0"]["comments"] == "8" and themes["all"]["comments"] == "[c]"
    assert themes["all"]["staff"] == "8"
    decide(
        review,
        **{
            "8": ("approve", "", "A. Reader"),
            "1": ("Approve", "The staff were kind, Dr Hill too.", "A. Reader"),
            "2": ("withhold", "", ""),
        },
    )
    made = make_comments(folder)
    assert (made.reviewed, made.quotes) == (3, 2)
    assert made.warnings == ("comments/quotes.csv, quote 1: approved by A. Reader with name in it; is that meant?",)
    assert [q["quote"] for q in rows_of(folder / "comments" / "quotes.csv")] == [
        "The staff were kind, Dr Hill too.",
        "My nurse [name] was kind.",
    ]
    # Decisions stay when it is run again.
    assert {r["comment"]: r["decision"] for r in rows_of(review)}["2"] == "withhold"


def test_a_comment_that_changed_must_be_read_again(folder: Path) -> None:
    make_comments(folder)
    decide(folder / "comments" / "review.csv", **{"8": ("approve", "", "A. Reader")})
    path = folder / "comments.csv"
    before = path.read_text("utf-8")
    path.write_text(before.replace("was kind.", "was not kind."), "utf-8")
    made = make_comments(folder)
    assert made.quotes == 0 and "no longer there or were changed since: 1." in made.warnings[0]
    # Nothing is lost: with the comment as it was the decision counts again.
    path.write_text(before, "utf-8")
    assert make_comments(folder).quotes == 1


def test_originals_are_for_ones_own_machine(folder: Path) -> None:
    settings = yaml.safe_load((folder / "survey.yaml").read_text("utf-8"))
    (folder / "survey.yaml").write_text(yaml.safe_dump(settings | {"show_values": True}), "utf-8")
    make_comments(folder)
    rows = rows_of(folder / "comments" / "review.csv")
    assert rows[7]["original"] == "My nurse Sarah was kind." and "Sarah" not in rows[7]["text"]


def test_a_codebook_of_ones_own(folder: Path) -> None:
    settings = yaml.safe_load((folder / "survey.yaml").read_text("utf-8"))
    (folder / "survey.yaml").write_text(yaml.safe_dump(settings | {"themes": "own.yaml"}), "utf-8")
    with pytest.raises(StocktakeError, match="no such file of themes"):
        make_comments(folder)
    (folder / "own.yaml").write_text("themes:\n- {code: ringing, title: Ringing, words: [ring*]}\n", "utf-8")
    assert load_codebook(folder / "own.yaml").themes[0].code == "ringing"
    make_comments(folder)
    assert "ringing" in rows_of(folder / "comments" / "themes.csv")[0]


def test_every_problem_of_the_files_is_named_without_their_words(folder: Path) -> None:
    path = folder / "comments.csv"
    secret = "Sarah Hill lives here"
    path.write_text(f"organisation,comment\nT9,{secret}\nT0,{'y' * 20_001}\n,{secret}\n", "utf-8")
    with pytest.raises(StocktakeError) as error:
        make_comments(folder)
    assert [p.split(":")[0] for p in error.value.problems] == [
        "comments.csv, row 2, column organisation", "comments.csv, row 3, column comment", "comments.csv, row 4, column organisation",
    ]  # fmt: skip
    assert secret not in str(error.value)
    path.write_text("organisation,words\nT0,x\n", "utf-8")
    with pytest.raises(StocktakeError, match="column 'comment' is missing"):
        make_comments(folder)
    settings = yaml.safe_load((folder / "survey.yaml").read_text("utf-8"))
    settings["waves"][-1].pop("comments")
    (folder / "survey.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    with pytest.raises(StocktakeError, match="no file of comments for 2019"):
        make_comments(folder)


def test_a_review_file_that_says_something_else(folder: Path) -> None:
    make_comments(folder)
    review = folder / "comments" / "review.csv"
    decide(review, **{"1": ("aprove", "", "A"), "2": ("approve", "", " ")})
    with pytest.raises(StocktakeError) as error:
        make_comments(folder)
    assert len(error.value.problems) == 2 and "Did you mean 'approve'?" in str(error.value)
    review.write_text('check,decision,quote,reviewer\n"a"b,approve,,\n', "utf-8")
    with pytest.raises(StocktakeError, match="cannot be read as CSV"):
        make_comments(folder)
    review.write_text("comment,decision\n1,approve\n", "utf-8")
    with pytest.raises(StocktakeError, match="column 'check' is missing"):
        make_comments(folder)


def test_two_comments_of_the_same_words_are_decided_apart(folder: Path) -> None:
    """Nobody's name stands beside them, and yet each has its own decision; one comment has only one."""
    (folder / "comments.csv").write_text("organisation,comment\nT0,seen quickly\nT0,seen quickly\n", "utf-8")
    make_comments(folder)
    review = folder / "comments" / "review.csv"
    decide(review, **{"1": ("withhold", "", "A"), "2": ("approve", "", "A")})
    # As some spreadsheets save it.
    review.write_text("\ufeff" + review.read_text("utf-8").replace(",", ";"), "utf-8")
    made = make_comments(folder)
    assert (made.reviewed, made.quotes) == (2, 1)
    assert [r["decision"] for r in rows_of(review)] == ["withhold", "approve"]
    rows = review.read_text("utf-8").splitlines()
    review.write_text("\n".join([*rows, rows[1].replace("withhold", "approve")]) + "\n", "utf-8")
    with pytest.raises(StocktakeError, match="row 4: another row decides otherwise about the same comment"):
        make_comments(folder)


def test_what_was_decided_can_be_read_back() -> None:
    comment = Comment(1, "T0", "", "@someone said = nothing", "r1", (Flag("account name", 0, 8),))
    rows = list(review_rows([comment], {}, {}, original=True))
    text = review_text(rows, original=True)
    assert "'@someone said" in text and rows[0]["text"] == "[account name] said = nothing"
    found, problems = decisions(text, "review.csv")
    assert problems == [] and found[comment.check].decision == ""


def test_invented_comments() -> None:
    """Of the same seed the same; of no organisation that there is not; some with something to find."""
    responses = pl.DataFrame({"respondent": [str(i) for i in range(2000)], "organisation": ["Z01", "Z02"] * 1000})
    made = simulated_comments(responses)
    assert made.equals(simulated_comments(responses)) and 30 < made.height < 100
    flagged = [bool(screen(t)) for t in made["comment"]]
    assert 0.1 < sum(flagged) / len(flagged) < 0.6


def test_by_command(folder: Path) -> None:
    done = stocktake("comments", str(folder))
    assert "10 comments; in 2 something may tell who somebody is" in done.stdout.replace("\n", " ")
