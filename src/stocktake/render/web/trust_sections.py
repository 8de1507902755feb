"""What stands on an organisation's web pages below the pages of its report."""

from __future__ import annotations

from stocktake.render.theme import Theme
from stocktake.render.web.html import Html
from stocktake.render.web.rows import course_row, scorecard_rows, section_line, standing_out
from stocktake.reports.change_pages import trend_of
from stocktake.reports.facts import OrganisationResults, band_word
from stocktake.reports.firm_pages import firm_table, unusual
from stocktake.reports.scorecard import by_chance, change_chart, scorecard_chart


def stands_out(facts: OrganisationResults) -> str:
    """What stands out, then every question below its section's own result."""
    survey = facts.survey
    lines = {}
    for section in survey.sections:
        row = facts.row(section.code)
        lines[section.code] = section_line(
            facts.section_title(section.code),
            row["score"],
            row["band"],
            band_word(survey, row),
            row["lower_95"],
            row["upper_95"],
        )
    chart = scorecard_chart(facts)
    unsure = any(survey.by_code[r.code].unsure_wording for r in chart.rows)
    return (
        standing_out(chart, change_chart(facts), by_chance(facts, chart))
        + '<h2 id="scorecard">Every question</h2>\n<p class="note">Each question leads to all organisations on it. In the drawing: grey, the expected range; '
        "thin line, lowest to highest; thick line and diamond, the score with its 95% interval; upright line, the average. Scores run from 0 to 10, and "
        "10 is always the best experience, whichever way a question is asked.</p>\n"
        + scorecard_rows(chart, True, lines, wording=facts.heading)
        + ('<p class="note">* Wording not confirmed by a published source.</p>\n' if unsure else "")
    )


def courses(facts: OrganisationResults) -> str:
    """Scores of three or more years, a row a question; nothing where there are fewer."""
    years = tuple(sorted(facts.group_results.years))
    if len(years) < 3 or not facts.has_history:
        return ""
    rows = "".join(course_row(facts.entry(q), trend_of(facts, q), years) for q in facts.questions)
    head = "".join(f'<th scope="col">{y}</th>' for y in years)
    return (
        '<h2>Year by year</h2>\n<p class="note">Solid: this organisation; dashed: the national average. Each drawing has a scale of its own.</p>\n'
        f'<div class="scroll" role="group" tabindex="0" aria-label="Scores by year"><table class="nhsuk-table rows courses stack"><caption class="nhsuk-u-visually-hidden">'
        f'Scores by year</caption><thead><tr><th scope="col">Question</th>{head}<th scope="col">Course</th></tr></thead><tbody>{rows}</tbody></table></div>\n'
    )


def firmness(facts: OrganisationResults, theme: Theme) -> str:
    """The tables of what is most unusual, and of how firm each band is, each with its heading."""
    html, out = Html(theme), ""
    for table, anchor, title, words in (
        (
            unusual(facts),
            "unusual",
            "Furthest from the average",
            "In units of the spread to be expected of the score (z). Even the furthest may be about the same.",
        ),
        (
            firm_table(facts),
            "firm",
            "How firm each band is",
            "Points: how far the score is from where the next band begins. Drawn anew: how often the same band, or one outside the range, comes out if the "
            "answers are drawn again; for sections, by a normal approximation. People: how many would have had to answer one step better. A dash: there is "
            "no such band.",
        ),
    ):
        if table is not None:
            out += f'<section><h2 id="{anchor}">{title}</h2>\n<p class="note">{words}</p>\n{html.block(table, 3)}</section>\n'
    return out
