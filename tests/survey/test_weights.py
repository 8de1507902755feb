"""Standardisation weights by hand."""

from __future__ import annotations

import numpy as np

from stocktake.survey.weights import national_shares, standardise


def test_weights_by_hand() -> None:
    """Cells of 30, 10 and none against shares of 1/2, 1/2 and none: 1/2 over 3/4, and 1/2 over 1/4."""
    found = standardise(np.array([[30, 10, 0]]), 5.0, np.array([0.5, 0.5, 0.0]))
    np.testing.assert_allclose(found.values, [[2 / 3, 2, 0]])
    # A cell that the reference has not either is not an empty one.
    assert found.empty.tolist() == [[False, False, False]]
    assert found.capped.tolist() == [[False, False, False]]


def test_an_empty_cell_is_one_that_the_reference_has() -> None:
    found = standardise(np.array([[40, 0], [10, 30], [0, 0]]))
    np.testing.assert_allclose(national_shares(np.array([[40, 0], [10, 30], [0, 0]])), [50 / 80, 30 / 80])
    # Without any respondent no cell is empty: the organisation has no data.
    assert found.empty.tolist() == [[False, True], [False, False], [False, False]]


def test_a_weight_is_cut_only_above_the_cap() -> None:
    """One of 100 in a cell with half of the reference: a weight of 50; at a cap of 50 it is not cut."""
    answered = np.array([[1, 99]])
    half = np.array([0.5, 0.5])
    for cap, value, cut in ((None, 50.0, False), (50.0, 50.0, False), (49.0, 49.0, True)):
        found = standardise(answered, cap, half)
        assert found.values[0, 0] == value
        assert found.capped.tolist() == [[cut, False]]
