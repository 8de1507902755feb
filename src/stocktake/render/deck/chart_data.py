"""The data of native charts, whose embedded workbooks have no time of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from pptx.chart.data import CategoryChartData, XyChartData
from pptx.chart.xlsx import CategoryWorkbookWriter, XyWorkbookWriter
from pptx.util import lazyproperty

# The same results must give the same bytes, so the clock has no place in a chart's workbook.
WHEN = datetime(2000, 1, 1)


class _Dateless:
    """A chart's embedded workbook, with a fixed date in its properties."""

    @contextmanager
    def _open_worksheet(self, xlsx_file: Any) -> Iterator[tuple[Any, Any]]:
        with super()._open_worksheet(xlsx_file) as (workbook, worksheet):  # type: ignore[misc]
            workbook.set_properties({"created": WHEN})
            yield workbook, worksheet


class _Workbook(_Dateless, CategoryWorkbookWriter):
    """The workbook of a chart of categories."""


class _PlaceWorkbook(_Dateless, XyWorkbookWriter):
    """The workbook of a chart of places."""


class PlaceData(XyChartData):
    """The library's data of a chart of places, whose workbook has no time of its own."""

    @lazyproperty
    def _workbook_writer(self) -> _PlaceWorkbook:
        return _PlaceWorkbook(self)


class ChartData(CategoryChartData):
    """The library's chart data, whose workbook has no time of its own."""

    @lazyproperty
    def _workbook_writer(self) -> _Workbook:
        return _Workbook(self)
