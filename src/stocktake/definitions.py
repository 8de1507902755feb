"""Definition files: YAML read with its lines, and every mistake told with file, line and field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from stocktake.problems import StocktakeError

Place = tuple[str | int, ...]
Problem = tuple[Place, str]


def read_text(path: Path) -> str:
    """A text file in UTF-8, or as Windows programs save it (cp1252); raises StocktakeError for anything else."""
    data = path.read_bytes()
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise StocktakeError(f"{path.name}: not a text file in UTF-8; save it again as UTF-8.")


def read_yaml(text: str, file: str) -> tuple[Any, dict[Place, int]]:
    """Read YAML and return its data with the line (from 1) of every place in it."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
        lines = dict(_walk(node, ()))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or "it cannot be read"
        raise StocktakeError(f"{file}{where}: not valid YAML: {what}.") from None
    return data, lines


def _walk(node: yaml.Node | None, place: Place) -> Iterator[tuple[Place, int]]:
    if node is None:
        return
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        names = [key.value for key, _ in node.value]
        for key, value in node.value:
            if names.count(key.value) > 1:
                raise yaml.MarkedYAMLError(problem=f"{key.value!r} stands twice here", problem_mark=key.start_mark)
            name: str | int = key.value
            yield (*place, name), key.start_mark.line + 1
            for inner, line in _walk(value, (*place, name)):
                if inner != (*place, name):
                    yield inner, line
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield from _walk(value, (*place, i))


def mistakes(error: ValidationError) -> list[Problem]:
    """A validation error as places and sentences."""
    return [(tuple(e["loc"]), _sentence(e)) for e in error.errors()]


def _sentence(error: Any) -> str:
    message = str(error["msg"])
    message = message[0].lower() + message[1:]
    if error["type"] == "extra_forbidden":
        return "this field is not known here."
    if error["type"] == "missing":
        return "this field is missing."
    return f"{message}, found {error['input']!r}."


def located(problems: Sequence[Problem], lines: Mapping[Place, int], file: str) -> list[str]:
    """Each problem as one sentence with file, line (of the nearest place that has one) and field."""
    sentences = []
    for place, message in problems:
        known = place
        while known and known not in lines:
            known = known[:-1]
        field = ".".join(str(p) for p in place) or "file"
        sentences.append(f"{file}, line {lines.get(known, 1)}, {field}: {message}")
    return sentences
