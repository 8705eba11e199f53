"""A command is obeyed once, and only while it holds."""

from __future__ import annotations

from typing import Any

import pytest

from edge_agent.domain.command import Command, Obedience, Refusal
from tests.builders import START, after


def a_command(command_id: str = "c1", **changes: Any) -> Command:
    fields: dict[str, Any] = {
        "id": command_id,
        "name": "show-test",
        "issued_at": after(100),
        "expires_at": after(160),
    }
    return Command(**(fields | changes))


@pytest.fixture
def panel() -> Obedience:
    return Obedience(started_at=START)


def test_a_command_is_obeyed_once(panel: Obedience) -> None:
    assert panel.refuses(a_command(), now=after(101)) is None
    assert panel.refuses(a_command(), now=after(102)) is Refusal.REPEATED
    assert panel.refuses(a_command("c2"), now=after(103)) is None


def test_a_refused_command_stays_refused(panel: Obedience) -> None:
    assert panel.refuses(a_command(), now=after(60)) is Refusal.EARLY
    assert panel.refuses(a_command(), now=after(101)) is Refusal.REPEATED


def test_an_id_comes_no_second_time_under_another_time(panel: Obedience) -> None:
    panel.refuses(a_command(), now=after(101))
    again = a_command(issued_at=after(150), expires_at=after(210))
    assert panel.refuses(again, now=after(155)) is Refusal.REPEATED


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"expires_at": after(110)}, Refusal.EXPIRED),
        ({"expires_at": after(100 + 301)}, Refusal.EXPIRED),
        ({"issued_at": after(-31), "expires_at": after(200)}, Refusal.EXPIRED),
        ({"issued_at": after(141)}, Refusal.EARLY),
        ({"name": "unlock-door"}, Refusal.UNKNOWN),
    ],
)
def test_what_does_not_hold_now_or_is_not_known_is_refused(
    panel: Obedience, changes: dict[str, Any], refusal: Refusal
) -> None:
    assert panel.refuses(a_command(**changes), now=after(110)) is refusal


def test_an_id_is_forgotten_only_when_its_command_has_run_out_anyway(panel: Obedience) -> None:
    panel.refuses(a_command(), now=after(101))
    assert panel.refuses(a_command(), now=after(159.9)) is Refusal.REPEATED
    assert panel.refuses(a_command(), now=after(161)) is Refusal.EXPIRED


def test_a_panel_that_has_just_started_does_not_obey_what_was_given_before() -> None:
    restarted = Obedience(started_at=after(140))
    assert restarted.refuses(a_command(), now=after(141)) is Refusal.EXPIRED
