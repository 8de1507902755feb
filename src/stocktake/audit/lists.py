"""The lists of a collection: which services organisations have, and figures of other years."""

from __future__ import annotations

from pathlib import Path

from stocktake.audit.answers import Parts
from stocktake.audit.specification import Specification
from stocktake.organisations.populations import parsed_number
from stocktake.organisations.register import Register, read_rows
from stocktake.problems import StocktakeError, nearest

Services = dict[str, dict[str, frozenset[str]]]
Earlier = dict[tuple[str, str, Parts, int], float]
# Between the options of an item's parts.
BETWEEN = "/"


def read_services(path: Path, spec: Specification, register: Register) -> Services:
    """Read a CSV file of services with the columns code, dimension and option: what each organisation has.

    An organisation that a dimension names nothing for has all of it. Raises StocktakeError with every problem.
    """
    problems: list[str] = []
    found: dict[str, dict[str, set[str]]] = {}
    for row in read_rows(path, ("code", "dimension", "option"), problems):
        code, dimension, option = row["code"], row["dimension"], row["option"]
        if code not in register.bodies:
            problems.append(f"{row.where}: no organisation {code!r}.{nearest(code, list(register.bodies))}")
        elif dimension not in spec.dimension:
            problems.append(f"{row.where}: no dimension {dimension!r}.{nearest(dimension, list(spec.dimension))}")
        elif option not in spec.dimension[dimension].options:
            known = list(spec.dimension[dimension].options)
            problems.append(f"{row.where}: {dimension!r} has no option {option!r}.{nearest(option, known)}")
        else:
            found.setdefault(code, {}).setdefault(dimension, set()).add(option)
    if problems:
        raise StocktakeError(problems)
    return {code: {d: frozenset(o) for d, o in own.items()} for code, own in found.items()}


def read_earlier(path: Path, spec: Specification, register: Register) -> Earlier:
    """Read a CSV file of figures of other years with the columns organisation, item, parts, year and value.

    `parts` are the options of the item with a stroke between them, empty for an item without any. Raises StocktakeError
    with every problem, also for two figures of one thing.
    """
    problems: list[str] = []
    out: Earlier = {}
    for row in read_rows(path, ("organisation", "item", "parts", "year", "value"), problems):
        code, item, year = row["organisation"], row["item"], row["year"]
        parts = tuple(p for p in row["parts"].split(BETWEEN) if p)
        value = parsed_number(row["value"])
        wrong = []
        if code not in register.bodies:
            wrong.append(f"no organisation {code!r}.{nearest(code, list(register.bodies))}")
        if item not in spec.item:
            wrong.append(f"no item {item!r}.{nearest(item, list(spec.item))}")
        else:
            by = spec.item[item].by
            if len(by) != len(parts) or any(p not in spec.dimension[d].options for d, p in zip(by, parts, strict=True)):
                wrong.append(
                    f"column parts: found {row['parts']!r}; expected one option each of {', '.join(by) or 'nothing'}."
                )
        if not (year.isascii() and year.isdigit() and len(year) == 4):
            wrong.append(f"column year: found {year!r}; expected a year such as 2016.")
        if value is None:
            wrong.append(f"column value: found {row['value']!r}; expected a number of zero or more.")
        if not wrong and value is not None:
            key = (code, item, parts, int(year))
            if key in out:
                wrong.append(f"a second figure for {code}, {item}, {row['parts'] or 'all'}, {year}; expected one.")
            out[key] = value
        problems += [f"{row.where}: {w}" for w in wrong]
    if problems:
        raise StocktakeError(problems)
    return out
