"""The report's close: the seven lists of questions by band, the method with every setting, and where to turn."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from stocktake.disclosure.rules import rules_of
from stocktake.reports.facts import OrganisationResults, band_word
from stocktake.reports.model import Block, Bullets, Cell, Columns, Heading, Inline, Link, Page, Table, Text, paragraph
from stocktake.reports.summary_charts import interval_text
from stocktake.reports.words import listed, rounded
from stocktake.results import Results
from stocktake.survey.instrument import Survey

METHOD = "Method"


def comparison(facts: OrganisationResults) -> Page:
    """The seven lists of questions by band, best first."""
    survey = facts.survey
    word = survey.organisation_word
    blocks: list[Block] = []
    for band in range(7, 0, -1):
        questions = facts.by_band[band]
        blocks.append(Heading(f"{survey.bands[band - 1]} ({len(questions)})", 2))
        if not questions:
            blocks.append(paragraph("No questions are in this band."))
        elif band == 4:
            # The long list is given by code: its questions do not stand out, and every one has its own page.
            blocks.append(Text(tuple(_interleave([_link(facts, q, q) for q in questions]))))
        else:
            blocks.append(Bullets(tuple(Text((_link(facts, q, facts.heading(q)),)) for q in questions)))
    if facts.unbanded:
        blocks += [
            Heading(f"Not shown or not banded ({len(facts.unbanded)})", 2),
            *(
                Text((f"{reason} ", *_interleave([_link(facts, q, facts.named(q)) for q in codes])))
                for reason, codes in _by_reason(facts).items()
            ),
        ]
    return Page("comparison", "Questions by band", tuple(blocks), "comparison", f"Comparison with other {word}s")


def _link(facts: OrganisationResults, question: str, words: str) -> Link:
    return Link(words, f"q-{question}")


def _interleave(parts: list[Link]) -> list[Inline]:
    """Links with commas between them and a full stop."""
    out: list[Inline] = []
    for part in parts:
        out += [part, ", "]
    return [*out[:-1], "."]


def _by_reason(facts: OrganisationResults) -> dict[str, list[str]]:
    """Questions without a band by the reason."""
    out: dict[str, list[str]] = {}
    for q in facts.unbanded:
        out.setdefault(str(facts.row(q)["reason"]), []).append(q)
    return out


SETTING_WORDS: Mapping[str, str] = {
    "cap": "Largest standardisation weight",
    "minimum_base": "Fewest answers for a score to be shown",
    "minimum_answers": "Fewest answers for a questionnaire to be useable",
    "maximum_rejected": "Largest share of rows that may be set aside",
    "routed_past": "Answers to questions that routing leads past",
    "unclassified": "A category without a standardisation cell",
    "group_reference": "Standard for service groups",
    "standard_error": "Standard error",
    "correction": "Factor on variances",
    "winsorise": "Share Winsorised at each end",
    "percentile": "Type of percentile",
    "zero_spread": "Answers that do not vary at all",
    "draws": "Resamples behind the probability of a band",
    "seed": "Random seed",
    "false_discovery": "False discovery rate",
    "change_test": "Test of change",
    "change_level": "Level of the test",
    "change_reference": "Standard for change over time",
}
VALUE_WORDS: Mapping[tuple[str, Any], str] = {
    ("unclassified", "sample file"): "the sample file's category is used",
    ("unclassified", "leave out"): "the person is left out of scores",
    ("group_reference", "own"): "the group's own respondents",
    ("group_reference", "all"): "all respondents",
    ("correction", "none"): "none",
    ("correction", "design"): "N/(N-1), all respondents",
    ("correction", "stratum"): "n/(n-1), each organisation's respondents",
    ("percentile", "weibull"): "type 6: position (n+1)p",
    ("zero_spread", "unbanded"): "score shown, no band",
    ("zero_spread", "between"): "banded by the spread between organisations",
    ("on_risk", "refuse"): "nothing is published",
    ("on_risk", "warn"): "published with a warning",
    ("change_test", "z"): "z-test",
    ("change_test", "t"): "two-sample t-test (Welch)",
    ("change_reference", "own"): "each year's own respondents",
    ("change_reference", "common"): "this year's respondents",
}


SKIPPED_FOR_WORKBOOKS = frozenset(
    {
        "standard_error",
        "correction",
        "winsorise",
        "percentile",
        "cap",
        "minimum_answers",
        "routed_past",
        "unclassified",
        "group_reference",
        "zero_spread",
        "draws",
        "seed",
        "change_test",
        "change_level",
        "change_reference",
        "maximum_rejected",
    }
)


def setting_value(name: str, value: Any) -> str:
    if name in ("winsorise", "change_level", "maximum_rejected", "false_discovery") and value is not None:
        return f"{100 * value:g}%"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return VALUE_WORDS.get((name, value), f"{value:g}" if isinstance(value, float) else str(value))


def method(facts: OrganisationResults, results: Results) -> list[Page]:
    """Every setting, and everything inferred."""
    survey = facts.survey
    word = survey.organisation_word
    imported = any("standard_error" in (r["not_published"] or "") for r in facts.rows.values())
    cells = listed([survey.demographic(c).title.lower() for c in survey.cells])
    left: list[Block] = [Heading("What was worked out")]
    if imported:
        left += [
            paragraph(
                "Scores and numbers of respondents are those of an official published workbook. Averages, lowest and highest "
                "scores were worked out anew from the scores. The spread S of each score was recovered from the published 95% limits, "
                "and z, the other limits and the bands from score, average and S."
            ),
            paragraph(
                "The workbook does not carry standard errors, intervals, the number of people invited, or the settings behind its "
                "spread. They are left out here, not estimated. Verdicts on change are the workbook's own."
            ),
        ]
        skip = SKIPPED_FOR_WORKBOOKS
    else:
        left += [
            paragraph(
                f"Weights make each {word}'s respondents match all respondents by {cells or 'no characteristic'}: the share of a "
                "group of people among all respondents, divided by its share among its own."
            ),
            paragraph(
                "A question's score is the weighted mean of points. Its standard error comes from how far each person's points lie from the "
                "score. A section's score is the mean of its questions', and its error allows for one person answering several."
            ),
            paragraph(
                f"The expected range follows Spiegelhalter: each {word}'s distance from the average in standard errors is worked out, the "
                "most extreme are drawn in, and their mean square shows how much more scores vary than chance allows. That extra variance is "
                "added to the square of the standard error. Limits are the average plus and minus 1.64, 1.96 and 3.09 times the root."
            ),
        ]
        skip = frozenset()
    if not survey.groups or facts.group_results.group == "all":
        skip = skip | {"group_reference"}
    settings = (Heading("Settings, for analysts"), settings_table(survey, results, skip))
    right = inferred_blocks(survey, results, imported)
    return [
        Page("method", "How these results were worked out", (Columns(tuple(left), settings, 0.7),), "method", METHOD),
        Page("inferred", "What was inferred, and where the figures come from", tuple(right), "inferred", METHOD),
    ]


DISCLOSURE_WORDS: Mapping[str, str] = {
    "decimals": "Decimals of published scores",
    "group_rounding": "Numbers of people in a service group: multiples of",
    "minimum_count": "Fewest people behind a percentage",
    "protect_people": "People by which a withheld number stays open",
    "protect_score": "Points by which a withheld score stays open",
    "complementary": "Further figures withheld where needed",
    "on_risk": "If a withheld figure could be worked out",
}


def setting_rows(survey: Survey, results: Results, skip: Set[str]) -> list[tuple[str, str]]:
    """Every setting of the method but those to skip, and those of disclosure control, in words."""
    rows = [(SETTING_WORDS[k], setting_value(k, v)) for k, v in survey.method.model_dump().items() if k not in skip]
    rules = rules_of(results.provenance)
    if rules is not None:
        rows += [(DISCLOSURE_WORDS[k], setting_value(k, v)) for k, v in rules.model_dump().items()]
    return rows


def settings_table(survey: Survey, results: Results, skip: Set[str]) -> Table:
    """Every setting of the method but those to skip."""
    return Table("Settings", ("Setting", "Value"), tuple(setting_rows(survey, results, skip)), widths=(2, 1.6))


def inferred_blocks(survey: Survey, results: Results, imported: bool) -> list[Block]:
    """What was inferred, and the files behind the figures."""
    inferred = list(survey.inferred)
    if not imported:
        inferred += [
            "How weights are capped, the form of the standard error and the test of change follow general practice; the "
            "survey's own technical document was not at hand.",
        ]
    inputs = results.provenance.get("inputs", {})
    lines = [paragraph(f"{role}, {file['name']}: SHA-256 {file['sha256'][:16]}...") for role, file in inputs.items()]
    lines.append(paragraph(f"Results fingerprint: {results.digest}."))
    lines.append(paragraph(f"Made with Stocktake {results.provenance.get('versions', {}).get('stocktake', '')}."))
    return [
        Heading("What was inferred"),
        Bullets(tuple(paragraph(text) for text in inferred)) if inferred else paragraph("Nothing."),
        Heading("Where the figures come from"),
        Bullets(tuple(lines)),
    ]


def figures(facts: OrganisationResults) -> Page:
    """Every question in the questionnaire's order, to look things up by code."""
    survey = facts.survey
    order = [q.code for q in survey.questions if q.code in facts.questions]
    rows = {q: facts.row(q) for q in order}
    intervals = any(r["lower_95"] is not None for r in rows.values())
    word = survey.organisation_word
    header = ["Question", "Respondents", f"Your {word}", "Average", "Band", "Expected range"]
    widths = [3.3, 0.9, 0.8, 0.75, 1.9, 1.05]
    if intervals:
        header.insert(3, "95% interval")
        widths.insert(3, 1.0)
    cells = []
    for code, row in rows.items():
        line: list[Cell] = [
            facts.named(code),
            facts.number(row, "n"),
            facts.number(row, "score"),
            facts.number(row, "national_average"),
            band_word(survey, row),
            _limits(row),
        ]
        if intervals:
            line.insert(3, interval_text(row["lower_95"], row["upper_95"]))
        cells.append(tuple(line))
    extent = (
        "The interval is where the score would lie, 19 times in 20, if chance alone decided who answered. "
        if intervals
        else ""
    )
    return Page(
        "figures",
        "All questions in one table",
        (
            paragraph(
                f"{extent}The expected range is where 'about the same' begins and ends for this number of respondents. A dash marks a "
                "figure that is not shown, or was not published.",
                "note",
            ),
            Table("All questions", tuple(header), tuple(cells), widths=tuple(widths)),
        ),
        "figures",
        METHOD,
    )


def sources(facts: OrganisationResults, contact: str) -> list[Page]:
    """Where to find more, and whom to ask; no page where nothing is known of either."""
    survey = facts.survey
    blocks: list[Block] = []
    if survey.sources:
        links = tuple(paragraph(f"{s.text}: {{link}}", link=Link(s.address, address=s.address)) for s in survey.sources)
        blocks += [Heading("Where to find more"), Bullets(links)]
    if contact:
        blocks += [Heading("Whom to ask"), paragraph("{contact}", contact=contact)]
    return (
        [Page("sources", "Further information", tuple(blocks), "sources", METHOD, new_sheet=False, new_slide=True)]
        if blocks
        else []
    )


def _limits(row: Mapping[str, Any]) -> str:
    if row["band"] is None:
        return "-"
    return f"{rounded(row['limit_somewhat_worse'])} to {rounded(row['limit_somewhat_better'])}"
