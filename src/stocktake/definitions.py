"""Definition files: YAML read with its lines, and every mistake reported with file, line and field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from pydantic_core.core_schema import ValidationInfo

from stocktake.problems import StocktakeError, nearest

Place = tuple[str | int, ...]
Problem = tuple[Place, str]
Model = TypeVar("Model", bound=BaseModel)


class Part(BaseModel):
    """The common base of everything in a definition file: frozen, with no unknown field, and no yes for a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_flag_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        # Python takes true for 1; whoever writes `minimum_base: true` did not mean a base of one.
        annotation = cls.model_fields[str(info.field_name)].annotation
        if annotation is not bool and "Any" not in str(annotation) and _has_flag(value):
            raise ValueError("true or false (or yes, no, on, off without quotation marks) is not accepted here")
        return value


def _has_flag(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, (list, tuple)) and any(_has_flag(v) for v in value))


# Limits of a definition file. The largest instrument known has 30 kB, 8 levels and 2,000 values.
LARGEST_FILE = 1_000_000
DEEPEST = 40
MOST_VALUES = 200_000


def read_text(path: Path, largest: int = LARGEST_FILE) -> str:
    """A text file in UTF-8, or as Windows programs save it (cp1252).

    Raises StocktakeError for anything else, and for a file of more than `largest` bytes.
    """
    size = path.stat().st_size
    if size > largest:
        raise StocktakeError(f"{path.name}: the file has {size:,} bytes; expected at most {largest:,}.")
    data = path.read_bytes()
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise StocktakeError(f"{path.name}: not a text file in UTF-8; save it again as UTF-8.")


# The parser written in C is ten times as fast, and gives the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str, file: str) -> tuple[Any, dict[Place, int]]:
    """Read YAML and return its data with the line (from 1) of every place in it.

    Raises StocktakeError for what is not YAML, is nested deeper than `DEEPEST`, refers to itself, or holds more than
    `MOST_VALUES` values once its aliases are written out.
    """
    try:
        _check_depth(text, file)
        node = yaml.compose(text, Loader=_LOADER)
        _check_size(node, file)
        lines = dict(_walk(node, ()))
        data = yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or "it cannot be read"
        raise StocktakeError(f"{file}{where}: not valid YAML: {what}.") from None
    except (ValueError, TypeError) as error:
        # A date such as 2024-13-45, a number with too many digits, or a mapping as the key of another one.
        raise StocktakeError(f"{file}: not valid YAML: {str(error).splitlines()[0]}.") from None
    return data, lines


def _check_depth(text: str, file: str) -> None:
    """Refuse nesting before anything is built from it: building calls itself once a level."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise StocktakeError(f"{file}, line {line}: nested more than {DEEPEST} levels deep; expected fewer.")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _check_size(root: yaml.Node | None, file: str) -> None:
    """Refuse a document that refers to itself, or that its aliases make too large."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: yaml.Node) -> int:
        if id(node) in open_nodes:
            raise StocktakeError(
                f"{file}, line {node.start_mark.line + 1}: an alias refers to a part that contains it."
            )
        if id(node) not in sizes:
            open_nodes.add(id(node))
            inner: list[yaml.Node] = []
            if isinstance(node, yaml.MappingNode):
                inner = [part for pair in node.value for part in pair]
            elif isinstance(node, yaml.SequenceNode):
                inner = list(node.value)
            sizes[id(node)] = 1 + sum(size(part) for part in inner)
            open_nodes.discard(id(node))
        return sizes[id(node)]

    if root is not None and size(root) > MOST_VALUES:
        raise StocktakeError(
            f"{file}: the file holds more than {MOST_VALUES:,} values once its aliases are written out; expected fewer."
        )


def _walk(node: yaml.Node | None, place: Place) -> Iterator[tuple[Place, int]]:
    if node is None:
        return
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be one word", problem_mark=key.start_mark)
            name: str | int = key.value
            if name in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value!r} appears twice here", problem_mark=key.start_mark)
            seen.add(name)
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
    message = str(error["msg"]).removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if error["type"] == "extra_forbidden":
        return "this field is not known here."
    if error["type"] == "missing":
        return "this field is missing."
    found = repr(error["input"])
    return f"{message}, found {found if len(found) <= 80 else found[:80] + '...'}."


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


def library_of(package: str) -> tuple[str, ...]:
    """The codes of the definition files in a package's library."""
    folder = resources.files(package) / "library"
    return tuple(sorted(p.name[:-5] for p in folder.iterdir() if p.name.endswith(".yaml")))


def find_definition(source: str | Path, package: str, what: str) -> tuple[str, str]:
    """The text of a definition file and its name for messages, by its code in a package's library or by its path.

    Raises StocktakeError where there is none; `what` says what was looked for.
    """
    name, known = str(source), library_of(package)
    if name in known:
        return (resources.files(package) / "library" / f"{name}.yaml").read_text("utf-8"), f"{name}.yaml"
    path = Path(source)
    if not path.is_file():
        raise StocktakeError(f"{name}: no such {what}; the library has {', '.join(known)}.{nearest(name, known)}")
    return read_text(path), str(path)


def validated(model: type[Model], text: str, file: str, expected: str) -> tuple[Model, dict[Place, int]]:
    """The text of a definition file as a model, with the line of every place in it.

    Raises StocktakeError with every problem; `expected` says what the file should be a mapping of.
    """
    data, lines = read_yaml(text, file)
    if not isinstance(data, dict):
        raise StocktakeError(f"{file}, line 1: expected a mapping with {expected}.")
    try:
        return model.model_validate(data), lines
    except ValidationError as error:
        raise StocktakeError(located(mistakes(error), lines, file)) from None
