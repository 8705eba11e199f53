"""Shifts and who is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from edge_agent.domain.duty import OnCall, Roster, parse_shift

MONDAY = "2026-11-23"


def at(hour: str, day: str = MONDAY) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mon-fri 09:00-18:00", "mon-fri 09:00-18:00"),
        ("SAT,sun 22:00-6:00", "sat-sun 22:00-06:00"),
        ("fri-mon 00:00-24:00", "mon,fri-sun 00:00-24:00"),
        ("wed 9:05-9:06", "wed 09:05-09:06"),
    ],
)
def test_a_shift_is_read_as_people_write_it_and_shown_so_that_it_can_be_read_again(text: str, shown: str) -> None:
    shift = parse_shift(text)
    assert str(shift) == shown
    assert parse_shift(shown) == shift


@pytest.mark.parametrize(
    "text",
    ["", "mon", "09:00-18:00", "moon 09:00-18:00", "mon 9-18", "mon 09:00", "mon 25:00-26:00", "mon 09:60-10:00",
     "mon 24:00-06:00", "mon- 09:00-18:00x", "mon 09:0-18:00"],
)  # fmt: skip
def test_what_is_no_shift_is_none(text: str) -> None:
    assert parse_shift(text) is None


@pytest.mark.parametrize(
    ("text", "moment", "there"),
    [
        ("mon-fri 09:00-18:00", at("09:00"), True),
        ("mon-fri 09:00-18:00", at("17:59"), True),
        ("mon-fri 09:00-18:00", at("18:00"), False),
        ("mon-fri 09:00-18:00", at("10:00", "2026-11-22"), False),
        ("sun 22:00-06:00", at("23:00", "2026-11-22"), True),
        ("sun 22:00-06:00", at("05:59"), True),
        ("sun 22:00-06:00", at("06:00"), False),
        ("sun 22:00-06:00", at("23:00"), False),
        ("mon 00:00-24:00", at("23:59"), True),
    ],
)
def test_a_night_shift_goes_on_into_the_next_day(text: str, moment: datetime, *, there: bool) -> None:
    shift = parse_shift(text)
    assert shift is not None
    assert OnCall(name="a", display_name="a", level="L2", shifts=(shift,)).is_there(moment) is there


def test_the_next_of_a_level_is_the_first_in_rank_who_is_there_and_was_not_asked() -> None:
    one, two, three = (OnCall(name=n, display_name=n, level="L2", rank=i) for i, n in enumerate("abc"))
    roster = Roster(people=(one, replace(two, absent=True), three), at=at("10:00"))
    assert roster.next_of("L2", set()) == "a"
    assert roster.next_of("L2", {"a"}) == "c"
    assert roster.next_of("L2", {"a", "c"}) is None
    assert roster.next_of("L3", set()) is None
    assert (roster.knows("L2"), roster.knows("L3")) == (True, False)
    assert roster.there() == ["a", "c"]
    assert not roster.is_there("stranger")
