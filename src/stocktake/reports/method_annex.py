"""The method annex: formulas, every setting, what each measure's comparison rests on, and one example followed through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stocktake.compare.expected_range import CUTS
from stocktake.disclosure.rules import rules_of
from stocktake.reports import back
from stocktake.reports.facts import OrganisationResults, band_word
from stocktake.reports.group_results import GroupResults, Row, group_results
from stocktake.reports.model import Block, Bullets, Cell, Columns, Heading, Number, Page, Report, Table, Text, paragraph
from stocktake.reports.words import rounded
from stocktake.results import Results
from stocktake.results.schemas import LIMITS
from stocktake.survey.instrument import Survey

FORMULAS = "Formulas"
FIGURES = "This survey's figures"


def method_annex(results: Results, survey: Survey, *, notice: str = "") -> Report:
    """The technical document of one run, from its results alone."""
    first = str(results.scores.filter(results.scores["year"] == survey.year)["organisation"][0])
    facts = OrganisationResults(group_results(results, survey), first)
    imported = any("standard_error" in (r["not_published"] or "") for r in facts.rows.values())
    pages = [
        Page("cover", survey.title, (), chapter=""),
        _about(survey, imported),
        *([] if imported else [_scores(survey)]),
        _compare(survey, imported),
        _change(survey, imported),
        _firm(survey, imported),
        _disclosure(survey, results),
        _settings(facts, results, imported),
        *_measures(results, survey),
        *_example(facts, results),
        _inferred(facts, results, imported),
    ]
    return Report(
        title="Method annex",
        subtitle="How every figure was worked out, with this survey's own settings and figures",
        organisation=survey.title,
        organisation_code="",
        date_line=survey.programme,
        pages=tuple(pages),
        digest=results.digest,
        notice=notice,
        keywords=(survey.code, "method", results.digest),
    )


def _about(survey: Survey, imported: bool) -> Page:
    source = (
        "The scores and bases were read from an official published workbook; averages, limits, z and bands were worked out anew from them. "
        "Steps before the scores are described in the survey's own technical document."
        if imported
        else "Everything was worked out from respondents' answers and the sample files."
    )
    return Page(
        "about",
        "About this annex",
        (
            paragraph(source),
            paragraph(
                "How sure we are of each step is given with it: verified (official published figures come out), seen (printed in official reports), "
                "recalled (general practice in this field), or inferred. Whatever is not verified or seen is a setting."
            ),
            Heading("Notation"),
            Bullets(
                (
                    paragraph(
                        f"i: one {survey.organisation_word}; j: one respondent; k: one question; g: one cell of standardisation."
                    ),
                    paragraph(
                        "w: weight; x: points of an answer, 0 to 10; n: number of scored answers; W: sum of weights."
                    ),
                    paragraph(
                        "y: score; s: its standard error; V = s²; θ: national average; I: number of organisations with a score."
                    ),
                    paragraph(
                        "φ: over-dispersion; τ²: variance between organisations; S: spread expected of a score; z: distance in units of S."
                    ),
                )
            ),
        ),
        "about",
    )


def _formula(words: str) -> Text:
    # A minus is a minus everywhere in a formula.
    return paragraph(words.replace("-", "−"), "formula")


def _scores(survey: Survey) -> Page:
    method = survey.method
    cells = ", ".join(survey.demographic(c).title.lower() for c in survey.cells) or "none"
    error = (
        "V = Σ over respondents of (w (x − y) / W)²"
        if method.standard_error == "linearised"
        else "V = (Σ w (x − y)² / W) × Σ w² / W²"
    )
    return Page(
        "scores",
        "Weights, scores and standard errors",
        (
            Columns(
                (
                    Heading("Weight (principle seen, details recalled)"),
                    _formula("w = P / p, at most the cap"),
                    paragraph(
                        f"P is the share of a cell among all respondents, p its share among the organisation's own. Cells are combinations of: {cells}. "
                        "A respondent in no cell is counted but not scored."
                    ),
                    Heading("Question score (seen)"),
                    _formula("y = Σ w x / Σ w, over scored answers"),
                    Heading("Section score (verified)"),
                    _formula("y = plain mean of the section's question scores"),
                    paragraph("Missing where any of its questions is withheld."),
                ),
                (
                    Heading("Standard error (recalled)"),
                    _formula(error),
                    paragraph(
                        "Of a section: each respondent's contributions to its questions are averaged first, so that one person answering "
                        "several questions is allowed for."
                    ),
                    Heading("Interval"),
                    _formula("y ± 1.96 s, within 0 and 10"),
                    Heading("Effective base (Kish)"),
                    _formula("(Σ w)² / Σ w²"),
                    paragraph("How many equally weighted answers would give the same precision."),
                ),
            ),
        ),
        "scores",
        FORMULAS,
    )


def _compare(survey: Survey, imported: bool) -> Page:
    winsorise = survey.method.winsorise
    left: list[Block] = [
        Heading("National average (verified)"),
        _formula("θ = Σ y / I, over organisations with a shown score"),
        Heading("Spread (recalled; consistent with a published workbook)"),
    ]
    if imported:
        left += [
            _formula("S = (upper − lower 95% limit) / (2 × 1.959964)"),
            paragraph("Where a limit is clipped at an end of the scale, S comes from the average and the other limit."),
        ]
    else:
        left += [
            _formula("z = (y − θ) / s"),
            paragraph(
                f"The most extreme {100 * winsorise:g}% of z at each end are drawn in to the {100 * winsorise:g}th and {100 - 100 * winsorise:g}th percentiles "
                f"({back.setting_value('percentile', survey.method.percentile)})."
            ),
            _formula("φ = mean of the squared z"),
            _formula("τ² = max(0, (I φ − (I − 1)) / (Σ v − Σ v² / Σ v)), v = 1 / s²"),
            _formula("S = √(s² + τ²)"),
        ]
    right: list[Block] = [
        Heading("Bands (verified on 7,434 published bands)"),
        _formula("z = (y − θ) / S"),
        Table(
            "Bands and cut-offs",
            ("Size of z", "Band"),
            (
                (f"below {CUTS[0]:.6f}", "about the same"),
                (f"up to {CUTS[1]:.6f}", "somewhat better or worse than expected"),
                (f"up to {CUTS[2]:.6f}", "better or worse than expected"),
                ("beyond", "much better or worse than expected"),
            ),
            row_headers=False,
        ),
        _formula("limits = θ ± c S for each cut-off c, clipped to 0 and 10"),
        paragraph("Bands are read from z, so that clipping a limit never moves a band."),
        paragraph(
            "An organisation whose answers do not vary at all has no spread of its own; a setting says what becomes of it.",
            "note",
        ),
    ]
    return Page(
        "compare", "Average, expected range and bands", (Columns(tuple(left), tuple(right)),), "compare", FORMULAS
    )


def _change(survey: Survey, imported: bool) -> Page:
    test: list[Block] = [_formula("z = (y now − y then) / √(V now + V then)")]
    if imported:
        test = [paragraph("The verdicts were read from the published workbook; they were not worked out here.")]
    elif survey.method.change_test == "t":
        test.append(
            paragraph("The statistic is held against Student's t with Welch and Satterthwaite's degrees of freedom.")
        )
    return Page(
        "change",
        "Change over time, best and worst, response rate",
        (
            Heading("Change over time (recalled)"),
            *test,
            Heading("Best and worst five (seen)"),
            _formula("y − θ, sorted before rounding; questions, not sections"),
            Heading("Adjusted response rate (seen)"),
            _formula("useable questionnaires / (sampled − undeliverable − died)"),
            Heading("Rounding (seen)"),
            paragraph("Halves away from zero, last of all; everything is worked out and banded on unrounded figures."),
        ),
        "change",
        FORMULAS,
    )


def _firm(survey: Survey, imported: bool) -> Page:
    draws = survey.method.draws
    missing = (
        [paragraph("This run comes from a published workbook, which has no answers and no standard errors: probabilities, leaving out, and "
             "respondents needed are not given.", "verdict")]
        if imported
        else []
    )  # fmt: skip
    return Page(
        "firm",
        "How firm a band is",
        (
            *missing,
            Columns(
                (
                    Heading("Distance"),
                    paragraph(
                        "Score points to the nearest limit of the band, average and S held; limits beyond the ends of the scale do not count."
                    ),
                    Heading("Probability of each band: questions"),
                    paragraph(
                        f"A multinomial bootstrap of each organisation's counts of cell and answer, {draws:,} draws, weights worked out anew in every draw. Each "
                        "draw has its own score and standard error; average and τ² are held."
                    ),
                    _formula("z* = (y* − θ) / √(s*² + τ²)"),
                    Heading("Probability of each band: sections"),
                    paragraph(
                        "Counts of answer pairs do not fix how one person answered a whole section, so the normal approximation is used: the score "
                        "drawn from a normal distribution with mean y and standard deviation s. The tables label it so."
                    ),
                    Heading("Leaving out any one"),
                    paragraph(
                        "θ, φ and τ² are worked out anew without each other organisation in turn; a band survives if it is the same every time."
                    ),
                ),
                (
                    Heading("What would change this"),
                    _formula("people = points to the next better band / gain per person, rounded up"),
                    paragraph(
                        "The gain per person is the mean rise of the score if one respondent who is not at the top answers one step better. A dash "
                        "where all of them together would not do."
                    ),
                    Heading("Many comparisons"),
                    paragraph(
                        "By chance alone 10% of results lie outside 'about the same', 5% are better or worse and beyond, and 0.2% are much better or worse: "
                        "3.5, 1.8 and 0.07 of 35."
                    ),
                    _formula("q(i) = min over k ≥ i of m p(k) / k"),
                    paragraph(
                        "q is Benjamini and Hochberg's adjusted p-value among an organisation's m questions, p(1) the smallest. The setting for the false "
                        "discovery rate marks which bands remain; it never moves a band."
                    ),
                ),
            ),
        ),
        "firm",
        FORMULAS,
    )


def _disclosure(survey: Survey, results: Results) -> Page:
    minimum = Number(survey.method.minimum_base, str(survey.method.minimum_base), "settings/minimum_base")
    rules = rules_of(results.provenance)
    items = [
        paragraph("A score with fewer than {minimum} scored answers is withheld with its base: neither is in any file.", minimum=minimum),
        paragraph("A section with a withheld question is withheld: with the others known it would give the question's score away."),
        paragraph("A national average of all is the mean of shown scores only, so that subtracting the shown scores from it leaves nothing."),
    ]  # fmt: skip
    if rules is None:
        items.append(paragraph("All figures come from a published workbook; they are printed as they were published."))
    else:
        items += [
            paragraph(
                f"A percentage of respondents that is of fewer than {rules.minimum_count} people is not printed."
            ),
            paragraph(
                f"Every edition prints scores, limits, differences and z to {rules.decimals} decimal{'' if rules.decimals == 1 else 's'}, "
                "standard errors and S to one more, and percentages to the whole per cent."
            ),
            paragraph(
                f"Numbers of people in a service group are rounded to a multiple of {rules.group_rounding}, and so is a national number "
                f"of which some {survey.organisation_word}'s part is withheld."
                if rules.group_rounding > 1
                else "Numbers of people in a service group are not rounded (a setting)."
            ),
            paragraph(
                "Before anything is published, the relations between all published figures (whole and groups, national numbers and "
                f"{survey.organisation_word}s, percentages and bases) are solved for what they leave open of each withheld figure. A withheld "
                f"number of people must stay uncertain by at least {rules.protect_people}, a withheld score by at least "
                f"{rules.protect_score:g} points, and the sum of a small group's answers by at least what one person can add to it."
            ),
            paragraph(
                "Where a figure would be known more closely, the smallest figure beside it is withheld as well."
                if rules.complementary
                else "Further figures are not withheld for that (a setting)."
            ),
        ]
    return Page(
        "disclosure",
        "What is withheld, and what could still be worked out",
        (Bullets(tuple(items)),),
        "disclosure",
        FORMULAS,
    )


def _settings(facts: OrganisationResults, results: Results, imported: bool) -> Page:
    skip = back.SKIPPED_FOR_WORKBOOKS if imported else set()
    return Page("settings", "Settings", (back.settings_table(facts.survey, results, skip),), "settings", FIGURES)


def _measures(results: Results, survey: Survey) -> list[Page]:
    """Every measure's average, phi and tau squared, a page for each group."""
    now = results.measures.filter(results.measures["year"] == survey.year)
    pages = []
    titles = {"all": "All respondents"} | {g.code: g.title for g in survey.groups}
    for group in now["group"].unique(maintain_order=True):
        rows = [r for r in now.filter(now["group"] == group).iter_rows(named=True) if r["organisations"] > 0]
        if not rows:
            continue
        # A column that this run has nothing for is left out rather than filled with dashes.
        columns = [(c, title, n) for c, title, n in COLUMNS if any(r[c] is not None for r in rows)]
        field = group_results(results, survey, group)
        about = [_about_measure(field, r["measure"]) for r in rows]
        worded = any(a != "-" for a in about)
        header = ("Measure", *(("About",) if worded else ()), *(title for _, title, _ in columns))
        cells = tuple(
            (r["measure"], *((a,) if worded else ()), *_measure(r, columns)) for r, a in zip(rows, about, strict=True)
        )
        note = "A dash marks what is not compared, or not published."
        if any(c == "phi" for c, _, _ in columns):
            note = f"φ above 1 means that scores vary more than chance alone would have them; τ is that extra spread, in score points. {note}"
        pages.append(
            Page(
                "measures",
                f"Averages and spread: {titles.get(group, group)}",
                (
                    paragraph(note, "note"),
                    Table(
                        f"Measures, {titles.get(group, group)}",
                        header,
                        cells,
                        widths=(0.8, *((3.4,) if worded else ()), *(1.0 for _ in columns)),
                    ),
                ),
                f"measures-{group}",
                FIGURES,
            )
        )
    return pages


COLUMNS = (
    ("organisations", "Shown", 0),
    ("withheld", "Withheld", 0),
    ("centre", "Average θ", 1),
    ("lowest", "Lowest", 1),
    ("highest", "Highest", 1),
    ("phi", "φ", 3),
    ("tau2", "τ²", 3),
    ("tau", "τ", 3),
)


def _about_measure(field: GroupResults, code: str) -> str:
    """What a measure is about, in few words; a dash where only the code is known."""
    survey = field.survey
    question = survey.by_code.get(code)
    words = survey.label(code) if question is None else question.short or question.label
    return "-" if words == code else words


def _measure(row: Row, columns: Sequence[tuple[str, str, int]]) -> tuple[Cell, ...]:
    def number(column: str, places: int) -> Cell:
        value = row[column]
        if value is None:
            return "-"
        text = f"{value:,}" if isinstance(value, int) else rounded(value, places)
        prefix = "measures" if row["group"] == "all" else f"measures:{row['group']}"
        return Number(value, text, f"{prefix}/{row['year']}//{row['measure']}/{column}")

    return tuple(number(column, n) for column, _, n in columns)


def _example(facts: OrganisationResults, results: Results) -> list[Page]:
    """One result followed from score to band, and to its change, in the figures that are published of it."""
    banded = [q for q in facts.questions if facts.row(q)["band"] is not None]
    if not banded:
        return []
    # The best result of the first organisation: an example should not expose anybody.
    code = max(banded, key=lambda q: facts.row(q)["z"])
    row, measure = facts.row(code), facts.group_results.measures[facts.year, code]
    rules = rules_of(results.provenance)
    # A published workbook's figures are public at full precision.
    places = 4 if rules is None else rules.decimals

    def n(column: str, places: int = places, table: str = "scores", source: Row = row) -> Any:
        return facts.number(source, column, table, places)

    def shown(source: Row, column: str, places: int = places) -> str:
        return rounded(source[column], places)

    left: list[Block] = [
        paragraph(f"{facts.name}, {facts.heading(code)}"),
        *(
            []
            if rules is None
            else [
                paragraph(
                    "Figures are rounded as they are published, so that the last digit of a result may differ.", "note"
                )
            ]
        ),
        Heading("From answers to the score"),
        paragraph("{n} scored answers give a score y of {y}.", n=n("n"), y=n("score")),
    ]
    if row["standard_error"] is not None:
        left += [
            paragraph(
                "Its standard error s is {s}, so that the 95% interval runs from {low} to {high}. The effective base is {base}.",
                s=n("standard_error", places + 1),
                low=n("lower_95"),
                high=n("upper_95"),
                base=n("effective_base", 0),
            )
        ]
    left += [
        Heading("The average and the spread"),
        paragraph(
            "{count} organisations have a score; their mean θ is {centre}.",
            count=n("organisations", 0, "measures", measure),
            centre=n("centre", places, "measures", measure),
        ),
    ]
    if measure["tau2"] is not None and row["spread"] is not None:
        left += [
            paragraph(
                "φ is {phi} and τ² is {tau2}.",
                phi=n("phi", 3, "measures", measure),
                tau2=n("tau2", 3, "measures", measure),
            ),
            _formula(
                f"S = √({shown(row, 'standard_error', places + 1)}² + {shown(measure, 'tau2', 3)}) = {shown(row, 'spread', places + 1)}"
            ),
        ]
    elif row["spread"] is not None:
        left.append(_formula(f"S from the published limits = {shown(row, 'spread', places + 1)}"))
    right: list[Block] = [
        Heading("The band"),
        _formula(
            f"z = ({shown(row, 'score')} - {shown(row, 'national_average')}) / {shown(row, 'spread', places + 1)} = {shown(row, 'z')}"
        ),
        paragraph(f"That is: {band_word(facts.survey, row, 'sentence')}."),
        Table(
            "Limits",
            ("Limit", "Score at which it begins"),
            tuple((name[6:].replace("_", " ").capitalize(), n(name)) for name in LIMITS),
        ),
    ]
    year = facts.earlier
    change = facts.changes.get((year, code)) if year is not None else None
    if change is not None and change["statistic"] is not None:
        then = facts.row(code, year)
        right += [
            Heading("Change"),
            _formula(
                f"z = ({shown(change, 'score_now')} - {shown(change, 'score_then')}) / √({shown(row, 'standard_error', places + 1)}² + "
                f"{shown(then, 'standard_error', places + 1)}²) = {shown(change, 'statistic')}"
            ),
            paragraph(f"Held against {shown(change, 'critical', 2)}: {str(change['verdict']).lower()}."),
        ]
    right += _firm_example(facts, code)
    return [Page("example", "One result followed through", (Columns(tuple(left), tuple(right)),), "example", FIGURES)]


def _firm_example(facts: OrganisationResults, code: str) -> list[Block]:
    row = facts.firmness.get(code)
    if row is None or row["p_band"] is None:
        return []
    left_out = "the same" if row["survives"] else "not the same"
    return [
        Heading("How firm"),
        paragraph(
            f"The nearest limit is {{gap}} points away. {{p}} of the draws fall in the same band. It is {left_out} whichever one other is left out.",
            gap=facts.number(row, "nearest_limit", "firmness"),
            p=facts.percent(row, "p_band", "firmness", share=True),
        ),
    ]


def _inferred(facts: OrganisationResults, results: Results, imported: bool) -> Page:
    return Page(
        "inferred",
        "What was inferred, and where the figures come from",
        tuple(back.inferred_blocks(facts.survey, results, imported)),
        "inferred",
        FIGURES,
    )
