"""A reference implementation: the survey benchmark's formulas worked out row by row, in the plainest possible way.

Written from the description of the method alone, without sight of the package it is held against. Nothing here is
fast; every sum is a loop over respondents or organisations that can be checked by eye.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Literal

from scipy.stats import t as student_t

StandardError = Literal["linearised", "classical"]
Correction = Literal["none", "design", "stratum"]
ZeroSpread = Literal["unbanded", "between"]
Test = Literal["z", "t"]
Limits = tuple[float, float, float, float, float, float]

# Two-sided 90%, 95% and 99.8%: 1.644854, 1.959964, 3.090232.
CUT_90 = NormalDist().inv_cdf(0.95)
CUT_95 = NormalDist().inv_cdf(0.975)
CUT_998 = NormalDist().inv_cdf(0.999)


@dataclass(frozen=True)
class Row:
    """One respondent."""

    organisation: str
    cell: int | None
    """Standardisation cell; None = cannot be standardised, left out of scored results."""
    scores: dict[str, float | None]
    """Question code -> score 0..10 of the answer; None or absent = not scored."""


@dataclass
class Result:
    """One organisation on one measure."""

    n: int
    """Unweighted scored answers; for a section the smallest n of its questions."""
    score: float | None
    standard_error: float | None
    withheld: bool = False


@dataclass(frozen=True)
class Banded:
    """Where one organisation stands: band 1 (much worse) .. 4 (about the same) .. 7 (much better), 0 = no band."""

    spread: float | None = None
    z: float | None = None
    band: int = 0
    limits: Limits | None = None


@dataclass
class Comparison:
    """One measure over all organisations."""

    centre: float | None = None
    lowest: float | None = None
    highest: float | None = None
    phi: float | None = None
    tau2: float | None = None
    by_organisation: dict[str, Banded] = field(default_factory=dict)


# ---------------------------------------------------------------------------------------------------------------------
# Weights


def weights(rows: list[Row], cap: float | None = 5.0, reference: dict[int, float] | None = None) -> list[float]:
    """Give each row, in order, the standardisation weight of its cell in its organisation.

    w_g,i = min(cap, P_g / p_g,i), with P_g = n_g / n over all rows with a cell (or reference[g], 0 if absent) and
    p_g,i = n_g,i / n_i over the organisation's rows with a cell; 0 for a row without a cell.
    """
    everybody = 0
    in_cell: dict[int, int] = {}
    in_organisation: dict[str, int] = {}
    in_organisation_cell: dict[tuple[str, int], int] = {}
    for row in rows:
        if row.cell is None:
            continue
        everybody += 1
        in_cell[row.cell] = in_cell.get(row.cell, 0) + 1
        in_organisation[row.organisation] = in_organisation.get(row.organisation, 0) + 1
        key = (row.organisation, row.cell)
        in_organisation_cell[key] = in_organisation_cell.get(key, 0) + 1

    out: list[float] = []
    for row in rows:
        if row.cell is None:
            out.append(0.0)
            continue
        target = in_cell[row.cell] / everybody if reference is None else reference.get(row.cell, 0.0)
        own = in_organisation_cell[row.organisation, row.cell] / in_organisation[row.organisation]
        weight = target / own
        if cap is not None and weight > cap:
            weight = cap
        out.append(weight)
    return out


# ---------------------------------------------------------------------------------------------------------------------
# Scores and standard errors of one organisation. `people` are its rows with a cell, `w` their weights, side by side.


def question_n(people: list[Row], question: str) -> int:
    """Count the unweighted scored answers: n = #{j : x_jk is scored}."""
    n = 0
    for person in people:
        if person.scores.get(question) is not None:
            n += 1
    return n


def question_weight(people: list[Row], w: list[float], question: str) -> float:
    """Add up the weights of those who answered: W_k = sum_j w_j."""
    terms: list[float] = []
    for person, weight in zip(people, w, strict=True):
        if person.scores.get(question) is not None:
            terms.append(weight)
    return math.fsum(terms)


def question_score(people: list[Row], w: list[float], question: str) -> float | None:
    """Average the scored answers by weight: y_k = sum(w x) / sum(w); None when sum(w) is 0.

    A weighted mean cannot leave the range of what it averages; holding it there keeps rounding from giving a tiny
    spread to answers that are all alike.
    """
    total = question_weight(people, w, question)
    if total == 0:
        return None
    terms: list[float] = []
    seen: list[float] = []
    for person, weight in zip(people, w, strict=True):
        x = person.scores.get(question)
        if x is not None and weight > 0:
            terms.append(weight * x)
            seen.append(x)
    return min(max(math.fsum(terms) / total, min(seen)), max(seen))


def residuals(people: list[Row], w: list[float], question: str, y: float) -> list[float]:
    """Give each person's pull on the question score: e_jk = w_j (x_jk - y_k) / W_k, 0 if unanswered."""
    total = question_weight(people, w, question)
    out: list[float] = []
    for person, weight in zip(people, w, strict=True):
        x = person.scores.get(question)
        out.append(0.0 if x is None else weight * (x - y) / total)
    return out


def linearised_variance(people: list[Row], w: list[float], questions: list[str], y: dict[str, float]) -> float:
    """Add up the squared mean pulls: V = sum_j ((1/K) sum_k e_jk)^2; with one question V_k = sum_j e_jk^2."""
    pulls: list[list[float]] = []
    for question in questions:
        pulls.append(residuals(people, w, question, y[question]))
    terms: list[float] = []
    for j in range(len(people)):
        mean_pull = math.fsum(pull[j] for pull in pulls) / len(questions)
        terms.append(mean_pull**2)
    return math.fsum(terms)


def classical_covariance(people: list[Row], w: list[float], k: str, m: str, y_k: float, y_m: float) -> float:
    """Give the covariance of two question scores; with k = m it is the variance of one.

    cov_km = s_km * sum_both w^2 / (W_k W_m), s_km = sum_both w (x - y_k)(z - y_m) / sum_both w; 0 if nobody answered
    both. With k = m: V_k = s2_k * sum(w^2) / sum(w)^2, s2_k = sum w (x - y)^2 / sum w.
    """
    products: list[float] = []
    both: list[float] = []
    squares: list[float] = []
    for person, weight in zip(people, w, strict=True):
        x = person.scores.get(k)
        z = person.scores.get(m)
        if x is None or z is None:
            continue
        products.append(weight * (x - y_k) * (z - y_m))
        both.append(weight)
        squares.append(weight**2)
    if math.fsum(both) == 0:
        return 0.0
    s_km = math.fsum(products) / math.fsum(both)
    return s_km * math.fsum(squares) / (question_weight(people, w, k) * question_weight(people, w, m))


def classical_variance(people: list[Row], w: list[float], questions: list[str], y: dict[str, float]) -> float:
    """Give the variance of the mean of K scores: V = (sum_k V_k + 2 sum_{k<m} cov_km) / K^2, not below 0."""
    terms: list[float] = []
    for a in range(len(questions)):
        k = questions[a]
        terms.append(classical_covariance(people, w, k, k, y[k], y[k]))
        for b in range(a + 1, len(questions)):
            m = questions[b]
            terms.append(2 * classical_covariance(people, w, k, m, y[k], y[m]))
    return max(0.0, math.fsum(terms) / len(questions) ** 2)


def correction_factor(correction: Correction, everybody: int, own: int) -> float | None:
    """Give the factor on every variance: 1, N/(N-1) ('design') or n_o/(n_o-1) ('stratum'); None if N or n_o < 2."""
    if correction == "none":
        return 1.0
    count = everybody if correction == "design" else own
    if count < 2:
        return None
    return count / (count - 1)


def error_of(
    people: list[Row],
    w: list[float],
    questions: list[str],
    y: dict[str, float],
    kind: StandardError,
    factor: float | None,
) -> float | None:
    """Give SE = sqrt(factor * V) of the mean of these question scores; None where a score or the factor is None."""
    if factor is None:
        return None
    for question in questions:
        if question not in y:
            return None
    if kind == "linearised":
        return math.sqrt(factor * linearised_variance(people, w, questions, y))
    return math.sqrt(factor * classical_variance(people, w, questions, y))


def estimate(
    rows: list[Row],
    sections: dict[str, list[str]],
    organisations: list[str],
    *,
    cap: float | None = 5.0,
    reference: dict[int, float] | None = None,
    standard_error: StandardError = "linearised",
    correction: Correction = "none",
    minimum_base: int = 30,
) -> dict[tuple[str, str], Result]:
    """Score every question and section of every organisation named.

    y_k = sum(w x)/sum(w), y_section = (1/K) sum_k y_k, SE = sqrt(factor * V). A question is withheld when
    n < minimum_base, a section when any of its questions is; a withheld result keeps its n, score and SE. The
    questions are all those that any row or section names.
    """
    questions: list[str] = []
    for codes in [*(list(row.scores) for row in rows), *sections.values()]:
        for code in codes:
            if code not in questions:
                questions.append(code)
    for section in sections:
        if section in questions:
            raise ValueError(f"{section!r} is both a question and a section")

    all_weights = weights(rows, cap, reference)
    everybody = 0
    for row in rows:
        if row.cell is not None:
            everybody += 1

    results: dict[tuple[str, str], Result] = {}
    for organisation in organisations:
        people: list[Row] = []
        w: list[float] = []
        for row, weight in zip(rows, all_weights, strict=True):
            if row.organisation == organisation and row.cell is not None:
                people.append(row)
                w.append(weight)
        factor = correction_factor(correction, everybody, len(people))

        y: dict[str, float] = {}
        for question in questions:
            score = question_score(people, w, question)
            if score is not None:
                y[question] = score

        for question in questions:
            n = question_n(people, question)
            error = error_of(people, w, [question], y, standard_error, factor)
            results[organisation, question] = Result(n, y.get(question), error, n < minimum_base)
        for section, codes in sections.items():
            parts = [results[organisation, code] for code in codes]
            scores = [part.score for part in parts if part.score is not None]
            results[organisation, section] = Result(
                n=min(part.n for part in parts),
                score=math.fsum(scores) / len(codes) if len(scores) == len(codes) else None,
                standard_error=error_of(people, w, codes, y, standard_error, factor),
                withheld=any(part.withheld for part in parts),
            )
    return results


# ---------------------------------------------------------------------------------------------------------------------
# Comparison


def percentile(values: list[float], p: float) -> float:
    """Give the type 6 percentile: x_(h) at h = (n+1)p, between neighbours in proportion, held to min and max."""
    ordered = sorted(values)
    n = len(ordered)
    h = (n + 1) * p
    if h <= 1:
        return ordered[0]
    if h >= n:
        return ordered[-1]
    below = math.floor(h)  # the below-th smallest, counted from 1
    return ordered[below - 1] + (h - below) * (ordered[below] - ordered[below - 1])


def overdispersion(scores: list[float], errors: list[float], centre: float, winsorise: float) -> tuple[float, float]:
    """Give (phi, tau2) of at least two organisations with a standard error above 0.

    z = (y - centre)/s, pulled in to its type 6 percentiles at `winsorise` and 1 - `winsorise`; phi = mean(z_w^2);
    tau2 = max(0, (I phi - (I-1)) / (sum v - sum v^2 / sum v)), v = 1/s^2. The denominator is worked out as
    2 sum_{i<j} v_i v_j / sum v, the same thing without the subtraction.
    """
    z: list[float] = []
    v: list[float] = []
    for y, s in zip(scores, errors, strict=True):
        z.append((y - centre) / s)
        v.append(1 / s**2)
    low = percentile(z, winsorise)
    high = percentile(z, 1 - winsorise)
    size = len(z)

    squares: list[float] = []
    for value in z:
        squares.append(min(max(value, low), high) ** 2)
    phi = math.fsum(squares) / size

    pairs: list[float] = []
    for i in range(size):
        for j in range(i + 1, size):
            pairs.append(v[i] * v[j])
    denominator = 2 * math.fsum(pairs) / math.fsum(v)
    return phi, max(0.0, (size * phi - (size - 1)) / denominator)


def band_of(z: float) -> int:
    """Name the band of zD: |zD| < 1.644854 is 4; to 1.959964 it is 3 or 5; to 3.090232 it is 2 or 6; beyond, 1 or 7."""
    size = abs(z)
    if size < CUT_90:
        steps = 0
    elif size <= CUT_95:
        steps = 1
    elif size <= CUT_998:
        steps = 2
    else:
        steps = 3
    return 4 + steps if z > 0 else 4 - steps


def limits_of(centre: float, spread: float) -> Limits:
    """Give centre -/+ c S clipped to 0..10: much worse, worse, somewhat worse, somewhat better, better, much better."""

    def clip(x: float) -> float:
        return min(max(x, 0.0), 10.0)

    return (
        clip(centre - CUT_998 * spread),
        clip(centre - CUT_95 * spread),
        clip(centre - CUT_90 * spread),
        clip(centre + CUT_90 * spread),
        clip(centre + CUT_95 * spread),
        clip(centre + CUT_998 * spread),
    )


def compare(
    results: dict[tuple[str, str], Result],
    measures: list[str],
    organisations: list[str],
    *,
    winsorise: float = 0.1,
    zero_spread: ZeroSpread = "unbanded",
) -> dict[str, Comparison]:
    """Hold every organisation against the plain mean of all of them.

    centre = mean(y) over unwithheld scores; S = sqrt(s^2 + tau2); zD = (y - centre)/S. With s = 0 there is no band
    ('unbanded') or S = sqrt(tau2) if tau2 > 0 ('between'). Without two organisations with s > 0 there is no phi, no
    tau2 and no band.
    """
    comparisons: dict[str, Comparison] = {}
    for measure in measures:
        comparison = Comparison()
        comparisons[measure] = comparison

        taking_part: dict[str, tuple[float, float | None]] = {}
        for organisation in organisations:
            comparison.by_organisation[organisation] = Banded()
            result = results[organisation, measure]
            if not result.withheld and result.score is not None:
                taking_part[organisation] = (result.score, result.standard_error)
        if not taking_part:
            continue

        scores = [score for score, _ in taking_part.values()]
        lowest, highest = min(scores), max(scores)
        centre = min(max(math.fsum(scores) / len(scores), lowest), highest)
        comparison.centre, comparison.lowest, comparison.highest = centre, lowest, highest

        with_error: list[float] = []
        errors: list[float] = []
        for score, error in taking_part.values():
            if error is not None and error > 0:
                with_error.append(score)
                errors.append(error)
        if len(errors) < 2:
            continue
        phi, tau2 = overdispersion(with_error, errors, centre, winsorise)
        comparison.phi, comparison.tau2 = phi, tau2

        for organisation, (score, error) in taking_part.items():
            if error is None:
                continue
            if error == 0 and (zero_spread == "unbanded" or tau2 == 0):
                continue
            spread = math.sqrt(error**2 + tau2)
            z = (score - centre) / spread
            comparison.by_organisation[organisation] = Banded(spread, z, band_of(z), limits_of(centre, spread))
    return comparisons


# ---------------------------------------------------------------------------------------------------------------------
# Change


def change(
    now: tuple[float, float, int],
    then: tuple[float, float, int],
    *,
    test: Test = "z",
    level: float = 0.95,
) -> tuple[float | None, str | None]:
    """Test the difference of two waves, each (score, standard error, n), two-sided.

    statistic = (y_now - y_then) / sqrt(V_now + V_then), held against the normal distribution ('z') or against
    Student's t with df = (V1 + V2)^2 / (V1^2/(n1-1) + V2^2/(n2-1)). (None, None) when both standard errors are 0, or
    when a t-test meets a wave that has a standard error but fewer than two answers. A wave without error adds
    nothing to the sum under the fraction.
    """
    y1, s1, n1 = now
    y2, s2, n2 = then
    v1, v2 = s1**2, s2**2
    if v1 + v2 == 0:
        return None, None
    statistic = (y1 - y2) / math.sqrt(v1 + v2)
    tail = 0.5 + level / 2
    if test == "z":
        critical = NormalDist().inv_cdf(tail)
    else:
        below = 0.0
        for v, n in ((v1, n1), (v2, n2)):
            if v == 0:
                continue
            if n < 2:
                return None, None
            below += v**2 / (n - 1)
        critical = float(student_t.ppf(tail, (v1 + v2) ** 2 / below))
    if statistic > critical:
        return statistic, "Increase"
    if statistic < -critical:
        return statistic, "Decrease"
    return statistic, "No change"


# ---------------------------------------------------------------------------------------------------------------------
# How firm a band is

MOST_LEFT_OUT = 500


def unclipped_limits(centre: float, spread: float) -> list[float]:
    """Give the six limits between the seven bands, centre -/+ c S, wherever on or off the scale they fall."""
    return [
        centre - CUT_998 * spread,
        centre - CUT_95 * spread,
        centre - CUT_90 * spread,
        centre + CUT_90 * spread,
        centre + CUT_95 * spread,
        centre + CUT_998 * spread,
    ]


def spread_of(s: float | None, tau2: float, zero_spread: ZeroSpread = "unbanded") -> float | None:
    """Give S = sqrt(s^2 + tau2); None without a standard error, or with s = 0 unless tau alone is let to band it."""
    if s is None:
        return None
    if s == 0 and (zero_spread == "unbanded" or tau2 == 0):
        return None
    return math.sqrt(s**2 + tau2)


def distances(y: float, centre: float, spread: float | None) -> tuple[float | None, float | None]:
    """Give the score points up to where the next better band begins and down to where the next worse begins.

    None in the outermost band, without a band, or where that limit lies outside 0..10.
    """
    if spread is None:
        return None, None
    band = band_of((y - centre) / spread)
    limits = unclipped_limits(centre, spread)
    to_better: float | None = None
    to_worse: float | None = None
    if band < 7 and 0 <= limits[band - 1] <= 10:
        to_better = limits[band - 1] - y
    if band > 1 and 0 <= limits[band - 2] <= 10:
        to_worse = y - limits[band - 2]
    return to_better, to_worse


def normal_chances(y: float, s: float | None, centre: float, spread: float | None) -> list[float] | None:
    """Give the chance of each of the seven bands if y* is normal about y with deviation s, centre and S held.

    A limit beyond an end of the scale cannot be passed: what lies beyond it goes to the band at that end.
    """
    if spread is None or s is None or s <= 0:
        return None
    below: list[float] = []
    for limit in unclipped_limits(centre, spread):
        if limit < 0:
            below.append(0.0)
        elif limit > 10:
            below.append(1.0)
        else:
            below.append(NormalDist(y, s).cdf(limit))
    edges = [0.0, *below, 1.0]
    out: list[float] = []
    for band in range(7):
        out.append(edges[band + 1] - edges[band])
    return out


def score_of_draw(
    draw: dict[tuple[int, int], int],
    points: list[float | None],
    reference: dict[int, float],
    *,
    cap: float | None = 5.0,
    standard_error: StandardError = "linearised",
    correction: Correction = "none",
    everybody: int = 0,
) -> tuple[float | None, float | None]:
    """Score one draw of an organisation: draw[cell, answer] people, an answer worth points[answer] or None.

    The people are weighted w_g = min(cap, P_g / p_g), p_g the draw's own shares, and given the standard error that
    any organisation with such people would have. `everybody` is N of the survey, for a correction by design.
    """
    people: list[Row] = []
    for (cell, answer), count in draw.items():
        for _ in range(count):
            people.append(Row("one", cell, {"q": points[answer]}))
    w = weights(people, cap, reference)
    y = question_score(people, w, "q")
    if y is None:
        return None, None
    factor = correction_factor(correction, everybody, len(people))
    return y, error_of(people, w, ["q"], {"q": y}, standard_error, factor)


def z_of_draw(
    y: float | None, s: float | None, centre: float, tau2: float, zero_spread: ZeroSpread = "unbanded"
) -> float | None:
    """Give z* = (y* - centre) / sqrt(s*^2 + tau2) with the survey's centre and tau2; None for a draw without a band."""
    spread = spread_of(s, tau2, zero_spread)
    return None if y is None or spread is None else (y - centre) / spread


def outcomes(total: int, places: int) -> list[list[int]]:
    """List every way of dealing `total` people into `places` places."""
    if places == 1:
        return [[total]]
    out: list[list[int]] = []
    for first in range(total + 1):
        for rest in outcomes(total - first, places - 1):
            out.append([first, *rest])
    return out


def bootstrap_chances(
    counts: dict[tuple[int, int], int],
    points: list[float | None],
    reference: dict[int, float],
    centre: float,
    tau2: float,
    *,
    cap: float | None = 5.0,
    zero_spread: ZeroSpread = "unbanded",
) -> list[float]:
    """Give the exact chance of no band (place 0) and of bands 1 to 7 over every multinomial outcome of a resample.

    A resample of n people has k_1, k_2, .. of them in each (cell, answer) with chance n! prod p_j^k_j / k_j!.
    """
    places = list(counts)
    total = sum(counts.values())
    out = [0.0] * 8
    for dealt in outcomes(total, len(places)):
        chance = float(math.factorial(total))
        draw: dict[tuple[int, int], int] = {}
        for place, count in zip(places, dealt, strict=True):
            chance *= (counts[place] / total) ** count / math.factorial(count)
            draw[place] = count
        z = z_of_draw(*score_of_draw(draw, points, reference, cap=cap), centre, tau2, zero_spread)
        out[0 if z is None else band_of(z)] += chance
    return out


def given_a_band(chances: list[float]) -> list[float]:
    """Give the chances of bands 1 to 7 among the draws that have a band at all."""
    with_band = math.fsum(chances[1:])
    return [chance / with_band for chance in chances[1:]]


def left_out(
    results: dict[tuple[str, str], Result],
    measure: str,
    organisations: list[str],
    *,
    winsorise: float = 0.1,
    zero_spread: ZeroSpread = "unbanded",
) -> dict[str, Comparison]:
    """Compare the others without organisation k, for each k that has a value: centre, phi, tau2 and bands anew."""
    out: dict[str, Comparison] = {}
    for k in organisations:
        result = results[k, measure]
        if result.withheld or result.score is None:
            continue
        others = [organisation for organisation in organisations if organisation != k]
        out[k] = compare(results, [measure], others, winsorise=winsorise, zero_spread=zero_spread)[measure]
    return out


def left_out_bands(
    results: dict[tuple[str, str], Result],
    measure: str,
    organisations: list[str],
    *,
    winsorise: float = 0.1,
    zero_spread: ZeroSpread = "unbanded",
) -> dict[str, tuple[int, int]]:
    """Give each organisation's lowest and highest band over leaving out each other organisation once.

    (0, 0) for an organisation without a band in the survey, and for all with fewer than four that have s > 0 or with
    more than 500 organisations.
    """
    everyone = compare(results, [measure], organisations, winsorise=winsorise, zero_spread=zero_spread)[measure]
    with_error = 0
    for organisation in organisations:
        result = results[organisation, measure]
        if not result.withheld and result.score is not None and (result.standard_error or 0) > 0:
            with_error += 1
    out = dict.fromkeys(organisations, (0, 0))
    if with_error < 4 or len(organisations) > MOST_LEFT_OUT:
        return out
    without = left_out(results, measure, organisations, winsorise=winsorise, zero_spread=zero_spread)
    for i in organisations:
        if everyone.by_organisation[i].band == 0:
            continue
        bands: list[int] = []
        for k, comparison in without.items():
            if k != i and comparison.by_organisation[i].band > 0:
                bands.append(comparison.by_organisation[i].band)
        if bands:
            out[i] = (min(bands), max(bands))
    return out


def next_higher(x: float, points: list[float]) -> float | None:
    """Give the points of the next better option, None at the top."""
    higher = [value for value in points if value > x]
    return min(higher) if higher else None


def one_option_up(people: list[Row], w: list[float], question: str, points: list[float]) -> tuple[int, float | None]:
    """Give the movers, respondents scored below the top, and what the score gains if each moves up one option.

    gain = sum over movers of w (points of the next higher option - own points) / W; None when W is 0.
    """
    movers = 0
    terms: list[float] = []
    for person, weight in zip(people, w, strict=True):
        x = person.scores.get(question)
        if x is None:
            continue
        above = next_higher(x, points)
        if above is not None:
            movers += 1
            terms.append(weight * (above - x))
    total = question_weight(people, w, question)
    return movers, None if total == 0 else math.fsum(terms) / total


def effective_base(people: list[Row], w: list[float], question: str) -> float | None:
    """Give Kish's effective number of answers, (sum w)^2 / sum w^2 over the scored; None when sum w is 0."""
    total = question_weight(people, w, question)
    squares: list[float] = []
    for person, weight in zip(people, w, strict=True):
        if person.scores.get(question) is not None:
            squares.append(weight**2)
    return None if total == 0 else total**2 / math.fsum(squares)


def people_needed(to_better: float | None, gain: float, movers: int) -> int | None:
    """Give how many movers, each bringing gain/movers, lift the score to the next better band; None if too few."""
    if to_better is None or movers == 0 or gain <= 0:
        return None
    needed = max(1, math.ceil(to_better / (gain / movers)))
    return None if needed > movers else needed


def q_values(z: list[float | None]) -> list[float | None]:
    """Give the Benjamini-Hochberg adjusted two-sided p of one organisation's z's.

    q_(i) = min over k >= i of m p_(k) / k, at most 1, with p_(1) <= .. <= p_(m) the p that there are.
    """
    p: list[tuple[float, int]] = []
    for place, value in enumerate(z):
        if value is not None:
            p.append((2 * NormalDist().cdf(-abs(value)), place))
    p.sort()
    m = len(p)
    out: list[float | None] = [None] * len(z)
    for i in range(m):
        least = 1.0
        for k in range(i, m):
            least = min(least, m * p[k][0] / (k + 1))
        out[p[i][1]] = least
    return out


def expected_by_chance(m: int) -> tuple[float, float, float]:
    """Give how many of m results leave the 90%, 95% and 99.8% limits by chance alone."""
    return m * 0.10, m * 0.05, m * 0.002
