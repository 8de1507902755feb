"""What organisations answered, as arrays: one for each item, with organisations in rows and the item's parts in columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from stocktake.audit.specification import Item, Specification, reference
from stocktake.organisations.register import Kind, Register

Floats = NDArray[np.float64]
# One option of each dimension of an item, in the order of `Item.by`.
Parts = tuple[str, ...]
# A service that an organisation does not have, as a value: it adds nothing, and is not a zero that was counted.
NO_SERVICE = -np.inf
# The value of a cell that was not answered.
NOT_ANSWERED = np.nan


def parts_of(spec: Specification, item: Item) -> list[Parts]:
    """Every part of an item, in the order of its dimensions' options."""
    return list(product(*(tuple(spec.dimension[code].options) for code in item.by)))


@dataclass(frozen=True)
class Answers:
    """The answers of a collection.

    `cells` has for each item an array of shape (organisations, parts): a value, NOT_ANSWERED or NO_SERVICE. Rows follow
    `organisations[kind]`, those of the kind that is asked. `earlier` has the figures of other years, by organisation,
    item, parts and year.
    """

    organisations: Mapping[Kind, tuple[str, ...]]
    cells: Mapping[tuple[str, Kind], Floats]
    earlier: Mapping[tuple[str, str, Parts, int], float]


def answers_of(
    spec: Specification,
    register: Register,
    given: Iterable[tuple[str, str, Parts, float]],
    services: Mapping[str, Mapping[str, frozenset[str]]] | None = None,
    earlier: Mapping[tuple[str, str, Parts, int], float] | None = None,
) -> Answers:
    """Arrays from single answers (organisation, item, parts, value).

    `services` has for an organisation and a dimension the options that it has; every part of another option is
    NO_SERVICE unless it was answered. An organisation that is not named has all of them.
    """
    organisations: dict[Kind, tuple[str, ...]] = {}
    cells: dict[tuple[str, Kind], Floats] = {}
    rows: dict[str, tuple[Kind, int]] = {}
    columns: dict[str, dict[Parts, int]] = {}
    for item in spec.items:
        parts = parts_of(spec, item)
        columns[item.code] = {p: i for i, p in enumerate(parts)}
        for kind in item.of:
            if kind not in organisations:
                organisations[kind] = register.of_kind(kind, spec.census)
                rows |= {code: (kind, i) for i, code in enumerate(organisations[kind])}
            cells[item.code, kind] = np.full((len(organisations[kind]), len(parts)), NOT_ANSWERED)
            if services:
                for i, code in enumerate(organisations[kind]):
                    missing = _missing(item, parts, services.get(code, {}))
                    cells[item.code, kind][i, missing] = NO_SERVICE
    for organisation, code, parts_, value in given:
        kind, row = rows[organisation]
        cells[code, kind][row, columns[code][parts_]] = value
    return Answers(organisations, cells, dict(earlier or {}))


def _missing(item: Item, parts: Sequence[Parts], services: Mapping[str, frozenset[str]]) -> list[int]:
    """The parts of services that an organisation does not have."""
    return [
        i
        for i, options in enumerate(parts)
        if any(d in services and o not in services[d] for d, o in zip(item.by, options, strict=True))
    ]


@dataclass(frozen=True)
class Amounts:
    """Sums of cells by organisation: NaN where there is none, and how many of the cells were answered.

    `no_service` marks organisations that have none of the services, `missing` those that did not answer every cell.
    """

    value: Floats
    no_service: NDArray[np.bool_]
    missing: NDArray[np.bool_]
    answered: NDArray[np.int64]
    cells: int


def amounts(
    spec: Specification, answers: Answers, kind: Kind, references: Sequence[str], chosen: Mapping[str, str]
) -> Amounts:
    """The sum of some items' cells for each organisation of a kind.

    A reference CODE.option, or an option chosen for a dimension, takes that part of the item; a dimension that is left
    open is summed over. A cell that was not answered leaves no sum, so that no part is left out in silence.
    """
    found = [_columns(spec, text, chosen) for text in references]
    cells = np.concatenate([answers.cells[code, kind][:, columns] for code, columns in found], axis=1)
    unanswered = np.isnan(cells)
    there = np.isfinite(cells)
    missing = unanswered.any(axis=1)
    no_service = ~missing & ~there.any(axis=1)
    value = np.where(there, cells, 0.0).sum(axis=1)
    value[missing | no_service] = np.nan
    return Amounts(value, no_service, missing, (~unanswered).sum(axis=1), cells.shape[1])


def _columns(spec: Specification, text: str, chosen: Mapping[str, str]) -> tuple[str, list[int]]:
    """The item that a reference means, and which of its parts."""
    code, option = reference(text)
    item = spec.item[code]
    wanted: list[tuple[str, ...]] = []
    for dimension in item.by:
        options = tuple(spec.dimension[dimension].options)
        one = option if option in options else chosen.get(dimension, "")
        wanted.append((one,) if one else options)
    keep = set(product(*wanted))
    return code, [i for i, parts in enumerate(parts_of(spec, item)) if parts in keep]


def cells_behind(spec: Specification, references: Sequence[str], chosen: Mapping[str, str]) -> list[tuple[str, Parts]]:
    """Item and parts of every cell that `amounts` sums."""
    out: list[tuple[str, Parts]] = []
    for text in references:
        code, columns = _columns(spec, text, chosen)
        parts = parts_of(spec, spec.item[code])
        out += [(code, parts[i]) for i in columns]
    return out
