"""What in a comment could tell who wrote it or whom it is about: found by patterns, for a human to judge.

No pattern finds everything. What is found is cut out of every export; what is not found is why a person must read a
comment before it is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Flag:
    """Part of a comment that may identify somebody: its kind, and where it begins and ends."""

    kind: str
    begin: int
    end: int


_MONTHS = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
_DAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_TITLES = "mr|mrs|ms|miss|mx|dr|doctor|prof|professor|nurse|sister|matron|rev|sir|lady"
_ROLES = (
    "nurse|cpn|doctor|gp|psychiatrist|psychologist|therapist|counsellor|key ?worker|care ?co-?ordinator|social worker|consultant|"
    "support worker|receptionist|manager|husband|wife|partner|mother|mum|father|dad|son|daughter|brother|sister|friend"
)
_CALLED = "called|named|name is|name was"
_PLACES = (
    "ward|street|road|avenue|lane|close|crescent|drive|house|hospital|clinic|surgery|practice|centre|unit|school|college|"
    "university|village|church|mosque|court|prison|lodge|station"
)
_NAME = r"[A-Z][a-z'’\-]+"

# Each kind with its pattern, the surest first: of two that overlap the first one names the part.
PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email address", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("web address", re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)),
    ("account name", re.compile(r"(?<!\w)@\w{2,}")),
    ("NHS number", re.compile(r"(?<!\d)\d{3}[ -]?\d{3}[ -]?\d{4}(?!\d)")),
    ("phone number", re.compile(r"(?<!\d)(?:\+\d{2}|0)(?:[ ()-]?\d){8,11}(?!\d)")),
    ("postcode", re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?(?: ?\d[A-Z]{2})?\b", re.IGNORECASE)),
    ("date", re.compile(r"(?<!\d)\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}(?!\d)")),
    ("date", re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{_MONTHS})\b(?: \d{{2,4}})?", re.IGNORECASE)),
    ("date", re.compile(rf"\b(?:{_MONTHS}) (?:\d{{1,2}}(?:st|nd|rd|th)\b|(?:19|20)\d\d\b)", re.IGNORECASE)),
    ("date", re.compile(r"\b(?:19|20)\d\d\b")),
    ("day", re.compile(rf"\b(?:{_DAYS})\b", re.IGNORECASE)),
    ("age", re.compile(r"\b(?:\d{1,3}[ -]?(?:years?|yrs?)(?:[ -]old)?|aged? \d{1,3}|i(?:'m| am) \d{2})\b", re.IGNORECASE)),
    ("name", re.compile(rf"(?<=\b)(?i:(?:my|the|a|our|his|her) (?:{_ROLES})),? (?:(?i:{_CALLED}) )?(?P<who>{_NAME}(?: {_NAME})?)")),
    ("name", re.compile(rf"\b(?i:{_TITLES})\.? {_NAME}(?: {_NAME})?")),
    ("name", re.compile(r"\b(?i:mr|mrs|ms|miss|mx|dr|prof)\.? (?P<who>[\w'’-]+)", re.IGNORECASE)),
    # A first word that does something is as likely a name as not.
    ("name", re.compile(rf"(?:^|[.!?]\s+)(?P<who>{_NAME})(?= (?:was|is|has|had|did|helped|saved|listened|never|always|made|told|said)\b)")),
    ("name", re.compile(rf"\b(?i:{_CALLED}) (?P<who>\w[\w'’-]+)")),
    ("place", re.compile(rf"\b{_NAME}(?:['’]s)?(?: {_NAME})* (?i:{_PLACES})\b")),
    ("place", re.compile(rf"\b(?i:{_PLACES}) (?:[A-Z]\b|\d+[a-z]?\b|{_NAME})")),
    ("long number", re.compile(r"(?<!\d)\d{5,}(?!\d)")),
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z][\w'’-]*")
_SENTENCE_END = re.compile(r"(?:^|[.!?:;\n\"“”()•-])\s*$")
# Words with a capital that name nobody.
_ORDINARY = frozenset(
    [
        "i", "i'm", "i’m", "i've", "i’ve", "i'd", "i’d", "i'll", "i’ll", "nhs", "cpn", "gp", "cmht", "camhs", "cbt", "dbt", "ocd",
        "ptsd", "adhd", "emdr", "a&e", "ect", "uk", "england", "english", "british", "english", "christmas", "easter", "covid",
        "my", "me", "he", "she", "they", "we", "it", "you", "his", "her", "their", "our", "your", "the", "a", "an", "and", "but", "so", "no",
        "not", "yes", "this", "that", "there", "when", "very", "never", "always", "please", "thank", "thanks", "good", "bad", "was",
        "everyone", "everybody", "nobody", "someone", "staff", "care", "it's", "who", "what", "which", "nothing", "something", "everything",
        "treatment", "therapy", "medication", "communication", "support", "service", "waiting", "appointment", "one", "all", "some", "many",
        "back", "out", "off", "in", "him", "us", "them", "to", "for", "again", "at", "by", "on", "up", "as",
        "god", "bpd", "eupd", "mh", "crisis", "team", "zoom", "teams", "pip", "esa", "ok", "tv", "ward", "hospital",
    ]
)  # fmt: skip
# First names that are words as well, and so are names only with a capital inside a sentence.
_AMBIGUOUS = frozenset(
    ["will", "mark", "may", "rose", "grace", "hope", "joy", "faith", "dawn", "bill", "pat", "sue", "rich", "frank", "art", "drew", "grant",
     "june", "april", "summer", "jack", "ray", "dean", "guy", "carol", "ivy", "penny", "amber", "robin", "iris", "miles", "max", "victor"]
)  # fmt: skip


@cache
def first_names() -> frozenset[str]:
    """Common first names, in lower case."""
    return frozenset((resources.files("stocktake.comments") / "first_names.txt").read_text("utf-8").split())


def screen(text: str, known: Iterable[str] = ()) -> tuple[Flag, ...]:
    """Everything in a comment that may identify somebody, in order, without overlaps.

    Patterns find numbers, dates, addresses, titles and places; then any word with a capital inside a sentence is a possible
    name, and so is a common first name however it is written. `known` are words that identify nobody here, such as those
    of the organisation's own name.
    """
    found: list[Flag] = []
    harmless = _ORDINARY | {w.casefold() for words in known for w in _WORD.findall(words)}
    for kind, pattern in PATTERNS:
        for match in pattern.finditer(text):
            part = "who" if "who" in pattern.groupindex else 0
            # "Called back" names nobody.
            if not (part and match["who"].casefold() in harmless):
                _add(found, Flag(kind, match.start(part), match.end(part)))
    for match in _WORD.finditer(text):
        word = match[0].casefold().removesuffix("'s").removesuffix("’s")
        if word in harmless:
            continue
        # Of a double name either part tells.
        word = next((w for w in word.split("-") if w in first_names()), word)
        capital = match[0][0].isupper() and not match[0].isupper()
        begins = _SENTENCE_END.search(text[: match.start()]) is not None
        common = word in first_names() and (word not in _AMBIGUOUS or (capital and not begins))
        if common or (capital and not begins):
            _add(found, Flag("name", match.start(), match.end()))
    return tuple(sorted(found, key=lambda f: f.begin))


def _add(found: list[Flag], new: Flag) -> None:
    """Add a part that does not overlap one found before."""
    if all(new.end <= f.begin or new.begin >= f.end for f in found):
        found.append(new)


def redacted(text: str, flags: Sequence[Flag]) -> str:
    """A comment with every flagged part replaced by its kind in brackets."""
    out, at = [], 0
    for flag in flags:
        out += [text[at : flag.begin], f"[{flag.kind}]"]
        at = flag.end
    return "".join([*out, text[at:]])
