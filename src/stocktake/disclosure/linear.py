"""Linear relations, and points that satisfy them, with HiGHS.

Large systems are solved in pieces that no relation joins, for the simplex takes longer than in proportion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, vstack
from scipy.sparse.csgraph import connected_components

from stocktake.survey.engines import cores

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# About how many variables a piece of a system has.
PIECE = 2_000
# HiGHS' number for the primal simplex.
PRIMAL = 4
# HiGHS' own tolerance for a relation, with a margin for the sums of hundreds of people.
TOLERANCE = 1e-6


@dataclass
class System:
    """Variables with bounds, and linear relations with two-sided limits; added in arrays, many at once."""

    low: list[Floats] = field(default_factory=list)
    high: list[Floats] = field(default_factory=list)
    size: int = 0
    rows: int = 0
    _row: list[Ints] = field(default_factory=list)
    _column: list[Ints] = field(default_factory=list)
    _value: list[Floats] = field(default_factory=list)
    _row_low: list[Floats] = field(default_factory=list)
    _row_high: list[Floats] = field(default_factory=list)
    _slack: list[Ints] = field(default_factory=list)
    _links: list[Ints] = field(default_factory=list)

    def variables(self, low: Floats, high: Floats) -> Ints:
        """New variables with these bounds; returns their numbers, in the shape given."""
        low, high = np.broadcast_arrays(np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64))
        # Rounding must not turn an exact figure into an empty interval.
        low = np.minimum(low, high)
        numbers = np.arange(self.size, self.size + low.size).reshape(low.shape)
        self.low.append(low.ravel())
        self.high.append(high.ravel())
        self.size += low.size
        return numbers

    def relations(
        self,
        terms: Sequence[tuple[Ints, Floats | float]],
        low: Floats,
        high: Floats,
        *,
        elastic: bool = False,
        link: bool = False,
    ) -> None:
        """New relations low <= sum of coefficient x variable <= high; the arrays of all terms have one shape.

        An elastic relation gives way by as little as it must where all of them together cannot hold. A link joins parts
        that would be independent without it.
        """
        shape = terms[0][0].shape
        numbers = np.arange(self.rows, self.rows + int(np.prod(shape, dtype=np.int64))).reshape(shape)
        for columns, values in terms:
            self._row.append(numbers.ravel())
            self._column.append(columns.ravel())
            if isinstance(values, float):
                self._value.append(np.full(numbers.size, values))
            else:
                self._value.append(np.broadcast_to(np.asarray(values, dtype=np.float64), shape).ravel())
        if link:
            self._links.append(numbers.ravel())
        if elastic:
            for sign in (1.0, -1.0):
                slack = self.variables(np.zeros(shape), np.full(shape, np.inf))
                self._slack.append(slack.ravel())
                self._row.append(numbers.ravel())
                self._column.append(slack.ravel())
                self._value.append(np.full(slack.size, sign))
        self._row_low.append(np.broadcast_to(low, shape).astype(np.float64).ravel())
        self._row_high.append(np.broadcast_to(high, shape).astype(np.float64).ravel())
        self.rows += numbers.size

    def join(self, columns: Ints, values: Floats, low: float, high: float) -> None:
        """One relation that links many variables."""
        self._row.append(np.full(columns.size, self.rows))
        self._column.append(columns)
        self._value.append(values)
        self._links.append(np.array([self.rows]))
        self._row_low.append(np.array([low]))
        self._row_high.append(np.array([high]))
        self.rows += 1

    def arrays(self) -> list[NDArray[Any]]:
        """All that the system consists of."""
        held: tuple[list[NDArray[Any]], ...] = (
            self.low,
            self.high,
            self._row,
            self._column,
            self._value,
            self._row_low,
            self._row_high,
            self._slack,
            self._links,
        )
        return [np.concatenate(parts) for parts in held if parts]

    @property
    def linked(self) -> bool:
        return bool(self._links)

    def solver(self) -> Solver:
        """The finished system, its elastic relations as tight as they can be."""
        shape = (self.rows, self.size)
        if not self.rows:
            return Solver(
                csr_array(shape),
                *(np.zeros(0),) * 2,
                np.concatenate(self.low),
                np.concatenate(self.high),
                np.zeros(0, dtype=bool),
            )
        matrix = csr_array(
            coo_array(
                (np.concatenate(self._value), (np.concatenate(self._row), np.concatenate(self._column))), shape=shape
            )
        )
        links = np.zeros(self.rows, dtype=bool)
        if self._links:
            links[np.concatenate(self._links)] = True
        low, high = np.concatenate(self.low), np.concatenate(self.high)
        solver = Solver(matrix, np.concatenate(self._row_low), np.concatenate(self._row_high), low, high, links)
        if self._slack:
            slack = np.concatenate(self._slack)
            cost = np.zeros(self.size)
            cost[slack] = 1.0
            needed = solver.cheapest(cost)[slack]
            high[slack] = np.where(needed > TOLERANCE, needed * (1 + TOLERANCE) + TOLERANCE, 0.0)
            return replace(solver, high=high)
        return solver


class Inconsistent(Exception):
    """The relations contradict each other: what is printed cannot all be true."""


@dataclass
class Solver:
    """A system as matrices; `links` marks the relations that join parts which are independent otherwise."""

    matrix: csr_array
    row_low: Floats
    row_high: Floats
    low: Floats
    high: Floats
    links: Bools

    def point(self, cost: Floats) -> Floats:
        """The point that satisfies every relation at the least cost; raises Inconsistent where there is none."""
        model = self._model
        model.changeColsCost(cost.size, np.arange(cost.size, dtype=np.int32), cost)
        model.run()
        if model.getModelStatus() not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kInfeasible):
            # Going on from the last point sometimes ends without an answer; from the beginning it does not.
            model.clearSolver()
            model.run()
        if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise Inconsistent(model.modelStatusToString(model.getModelStatus()))
        return np.asarray(model.getSolution().col_value)

    @cached_property
    def _model(self) -> highspy.Highs:
        """The relations as HiGHS holds them; each further cost starts from the point that the last one reached."""
        return self._new_model()

    def _new_model(self) -> highspy.Highs:
        model = highspy.Highs()
        model.setOptionValue("output_flag", False)
        # Systems are solved beside one another; none has threads of its own.
        model.setOptionValue("threads", 1)
        # Only costs change from one point to the next: the last one still satisfies every relation, which is where the
        # primal simplex starts from.
        model.setOptionValue("simplex_strategy", PRIMAL)
        problem = highspy.HighsLp()
        problem.num_row_, problem.num_col_ = self.matrix.shape
        problem.col_cost_ = np.zeros(self.low.size)
        problem.col_lower_, problem.col_upper_ = self.low, self.high
        problem.row_lower_, problem.row_upper_ = self.row_low - TOLERANCE, self.row_high + TOLERANCE
        rows = problem.a_matrix_
        rows.format_ = highspy.MatrixFormat.kRowwise
        rows.start_, rows.index_, rows.value_ = self.matrix.indptr, self.matrix.indices, self.matrix.data
        model.passModel(problem)
        return model

    def centre(self) -> Floats:
        """A point amid all that satisfy the relations; raises Inconsistent where there is none."""
        # Without a cost, and without going on to a corner, the interior point method ends far from all limits.
        model = self._new_model()
        model.setOptionValue("solver", "ipm")
        model.setOptionValue("run_crossover", "off")
        model.run()
        point = np.asarray(model.getSolution().col_value)
        if model.getModelStatus() == highspy.HighsModelStatus.kOptimal and self.holds(point):
            return point
        # Any point will do; only fewer figures are proved safe by one at the edge.
        return self.point(np.zeros(self.low.size))

    def holds(self, point: Floats) -> bool:
        """Whether a point satisfies every relation, as nearly as one that HiGHS gives."""
        if point.size != self.low.size:
            return False
        rows, near = self.matrix @ point, 2 * TOLERANCE
        inside = (rows >= self.row_low - near) & (rows <= self.row_high + near)
        return bool(inside.all() and (point >= self.low - near).all() and (point <= self.high + near).all())

    def without_links(self) -> Solver:
        """The parts alone: figures can only lie further apart than in the whole."""
        kept = ~self.links
        return replace(
            self,
            matrix=self.matrix[kept],
            row_low=self.row_low[kept],
            row_high=self.row_high[kept],
            links=np.zeros(int(kept.sum()), dtype=bool),
        )

    def around(self, centre: Floats) -> Solver:
        """The parts, each with all others held at a point of the whole: every point of it is one of the whole.

        Of each link a part keeps its own share, within what the others leave at `centre`.
        """
        alone = self.without_links()
        joined = self.matrix[self.links].tocoo()
        part = alone.parts[joined.col]
        pairs, row = np.unique(np.stack([joined.row, part]), axis=1, return_inverse=True)
        share = np.bincount(row, weights=joined.data * centre[joined.col], minlength=pairs.shape[1])
        whole = self.matrix[self.links] @ centre
        others = whole[pairs[0]] - share
        own = csr_array(coo_array((joined.data, (row, joined.col)), shape=(pairs.shape[1], self.low.size)))
        return replace(
            alone,
            matrix=csr_array(vstack([alone.matrix, own])),
            row_low=np.concatenate([alone.row_low, np.minimum(self.row_low[self.links][pairs[0]] - others, share)]),
            row_high=np.concatenate([alone.row_high, np.maximum(self.row_high[self.links][pairs[0]] - others, share)]),
            links=np.zeros(alone.links.size + pairs.shape[1], dtype=bool),
        )

    def cheapest(self, cost: Floats) -> Floats:
        """The same as `point`, piece by piece."""
        out = np.empty_like(cost)

        def find(piece: Solver, own: Ints) -> None:
            out[own] = replace(piece).point(cost[own])

        with ThreadPoolExecutor(cores()) as pool:
            list(pool.map(lambda job: find(*job), self.pieces(np.arange(self.low.size))))
        return out

    def pieces(self, columns: Ints) -> Iterator[tuple[Solver, Ints]]:
        """The independent parts that have some of the variables `columns`, in pieces of several parts.

        Each comes with the numbers of its variables in this system.
        """
        concerned = np.zeros(int(self.parts.max(initial=-1)) + 1, dtype=bool)
        concerned[self.parts[columns]] = True
        size = np.bincount(self.parts) * concerned
        piece = np.where(concerned, (np.cumsum(size) - size) // PIECE, -1)[self.parts]
        if not piece.any():
            yield self, np.arange(piece.size)
            return
        # A relation without a variable is in no part.
        row = np.full(self.matrix.shape[0], -1, dtype=np.int64)
        filled = np.flatnonzero(np.diff(self.matrix.indptr))
        row[filled] = piece[self.matrix.indices[self.matrix.indptr[filled]]]
        rows, columns = np.argsort(row, kind="stable"), np.argsort(piece, kind="stable")
        matrix = csr_array(self.matrix[rows][:, columns])
        for number in np.unique(piece[piece >= 0]):
            r0, r1 = np.searchsorted(row[rows], [number, number + 1])
            c0, c1 = np.searchsorted(piece[columns], [number, number + 1])
            own, its = columns[c0:c1], rows[r0:r1]
            yield (
                Solver(
                    csr_array(matrix[r0:r1][:, c0:c1]),
                    self.row_low[its],
                    self.row_high[its],
                    self.low[own],
                    self.high[own],
                    self.links[its],
                ),
                own,
            )

    @cached_property
    def parts(self) -> Ints:
        """The independent part of the system that each variable is in."""
        coo = self.matrix.tocoo()
        ones = np.ones(coo.row.size, dtype=np.int8)
        shape = (self.matrix.shape[1] + self.matrix.shape[0],) * 2
        graph = coo_array((ones, (coo.col, coo.row + self.matrix.shape[1])), shape=shape)
        return np.asarray(connected_components(graph, directed=False)[1][: self.matrix.shape[1]], dtype=np.int64)


Found = TypeVar("Found")


def in_pieces(solver: Solver, columns: Ints, work: Callable[[Solver, Ints, Ints], Found]) -> list[Found]:
    """Call `work` for each piece of a system that has some of the variables `columns`, on every core.

    It is given the piece, the numbers that all variables have in their pieces, and the places in `columns` of those that
    are in this one.
    """
    pieces = list(solver.pieces(columns))
    piece, number = np.empty(solver.low.size, dtype=np.int64), np.empty(solver.low.size, dtype=np.int64)
    for i, (_, own) in enumerate(pieces):
        piece[own], number[own] = i, np.arange(own.size)
    order = np.argsort(piece[columns], kind="stable")
    ends = np.searchsorted(piece[columns][order], np.arange(len(pieces) + 1))
    jobs = [(one, order[a:b]) for (one, _), (a, b) in zip(pieces, pairwise(ends), strict=True)]
    with ThreadPoolExecutor(cores()) as pool:
        # Of a copy, whose model is gone when its work is done.
        return list(pool.map(lambda job: work(replace(job[0]), number, job[1]), jobs))
