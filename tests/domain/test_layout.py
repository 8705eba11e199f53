"""Where seats are drawn on the floor map."""

from __future__ import annotations

import pytest

from edge_agent.domain.layout import MOST, Cell, fits, placed


def cell(across: int, down: int) -> Cell:
    return Cell(across=across, down=down)


def test_without_a_seat_laid_out_there_is_no_map() -> None:
    assert placed({}, ["01", "02"]) == {}
    assert placed({"gone": cell(0, 0)}, ["01", "02"]) == {}


def test_seats_nobody_has_laid_out_follow_below_in_their_order_as_wide_as_the_map() -> None:
    laid = {"02": cell(0, 0), "04": cell(1, 2)}
    assert placed(laid, ["01", "02", "03", "04", "05"]) == laid | {"01": cell(0, 3), "03": cell(1, 3), "05": cell(0, 4)}


def test_a_seat_that_is_gone_moves_no_other() -> None:
    laid = {"01": cell(0, 0), "02": cell(1, 0), "03": cell(2, 0)}
    assert placed(laid, ["01", "03"]) == {"01": cell(0, 0), "03": cell(2, 0)}


@pytest.mark.parametrize("wrong", [cell(-1, 0), cell(0, -1), cell(MOST, 0), cell(0, MOST), cell(1, 1)])
def test_a_seat_off_the_map_or_on_anothers_cell_does_not_fit(wrong: Cell) -> None:
    assert fits({"01": cell(1, 1), "02": cell(MOST - 1, MOST - 1)})
    assert not fits({"01": cell(1, 1), "02": wrong})
