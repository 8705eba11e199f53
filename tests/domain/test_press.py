"""Short is help, long is withdraw, held is emergency; whatever the contact does in between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.domain.press import STUCK_S, Contact, Edge, Gesture, Timing, on_edge, passed

TIMING = Timing(debounce_s=0.02, long_s=1.0, hold_s=3.0)
LATE = 100.0


def meant(*edges: tuple[bool, float], contact: Contact | None = None, until: float = LATE) -> list[Gesture]:
    """Return what these edges (pressed, second) mean when nobody looks in between."""
    contact = contact or Contact()
    found = []
    for pressed, at_s in edges:
        contact, gesture = on_edge(contact, Edge(pressed=pressed, at_s=at_s), TIMING)
        found.append(gesture)
    _, gesture = passed(contact, TIMING, at_s=until)
    return [gesture for gesture in [*found, gesture] if gesture]


def watched(*edges: tuple[bool, float], until: float = LATE) -> list[tuple[Gesture, float]]:
    """Return what these edges mean, and when it is known, to somebody who looks whenever it is due."""
    contact, found = Contact(), []
    for pressed, at_s in [*edges, (None, until)]:
        while (due := contact.due_at(TIMING)) is not None and due <= at_s:
            contact, gesture = passed(contact, TIMING, at_s=due)
            if gesture:
                found.append((gesture, due))
        if pressed is not None:
            contact, gesture = on_edge(contact, Edge(pressed=pressed, at_s=at_s), TIMING)
            if gesture:
                found.append((gesture, at_s))
    return found


def test_a_short_press_asks_for_help() -> None:
    assert meant((True, 1.0), (False, 1.2)) == [Gesture.HELP]


def test_a_long_press_withdraws() -> None:
    assert meant((True, 1.0), (False, 2.5)) == [Gesture.WITHDRAW]


def test_three_seconds_are_an_emergency_and_the_release_means_nothing_more() -> None:
    assert meant((True, 1.0), (False, 4.5)) == [Gesture.EMERGENCY]


def test_an_emergency_is_known_after_three_seconds_while_the_button_is_still_held() -> None:
    assert watched((True, 1.0), (False, 9.0)) == [(Gesture.EMERGENCY, pytest.approx(4.0))]


def test_help_is_known_when_the_release_has_been_stable_for_the_debounce_time() -> None:
    assert watched((True, 1.0), (False, 1.2)) == [(Gesture.HELP, pytest.approx(1.22))]


def test_a_contact_that_bounces_is_one_press() -> None:
    bouncing = [(True, 1.0), (False, 1.003), (True, 1.006), (False, 1.2), (True, 1.204), (False, 1.207)]
    assert meant(*bouncing) == [Gesture.HELP]


def test_a_touch_shorter_than_the_debounce_time_is_no_press() -> None:
    assert meant((True, 1.0), (False, 1.01)) == []


def test_a_touch_that_bounces_and_ends_open_does_not_become_an_emergency() -> None:
    assert meant((True, 1.0), (False, 1.005), (True, 1.008), (False, 1.012)) == []


def test_a_bounce_while_held_does_not_shorten_the_hold() -> None:
    assert meant((True, 1.0), (False, 2.0), (True, 2.01), (False, 4.1)) == [Gesture.EMERGENCY]


def test_two_presses_are_two_calls() -> None:
    assert meant((True, 1.0), (False, 1.1), (True, 1.5), (False, 1.6)) == [Gesture.HELP, Gesture.HELP]


def test_a_press_right_after_an_emergency_is_a_press_of_its_own() -> None:
    assert meant((True, 1.0), (False, 5.0), (True, 6.0), (False, 6.2)) == [Gesture.EMERGENCY, Gesture.HELP]


def test_the_same_edge_told_twice_changes_nothing() -> None:
    assert meant((True, 1.0), (True, 1.1), (False, 1.3), (False, 1.4)) == [Gesture.HELP]


def test_a_button_found_pressed_calls_for_help_when_released() -> None:
    assert meant((False, 8.0), contact=Contact.found(pressed=True, at_s=0.0)) == [Gesture.HELP]


def test_a_button_found_pressed_never_becomes_an_emergency() -> None:
    assert meant(contact=Contact.found(pressed=True, at_s=0.0)) == []
    assert Contact.found(pressed=True, at_s=0.0).due_at(TIMING) is None


def test_a_button_held_for_a_minute_is_stuck_until_it_is_released() -> None:
    contact, _ = on_edge(Contact(), Edge(pressed=True, at_s=0.0), TIMING)
    contact, _ = passed(contact, TIMING, at_s=STUCK_S)
    assert contact.stuck(at_s=STUCK_S)
    assert not contact.stuck(at_s=STUCK_S - 1)
    contact, _ = on_edge(contact, Edge(pressed=False, at_s=70.0), TIMING)
    contact, _ = passed(contact, TIMING, at_s=71.0)
    assert not contact.stuck(at_s=200.0)


@given(st.lists(st.floats(min_value=0.001, max_value=5.0), min_size=1, max_size=12))
def test_looking_often_or_seldom_finds_the_same(gaps: list[float]) -> None:
    at_s, edges = 0.0, []
    for number, gap in enumerate(gaps):
        at_s += gap
        edges.append((number % 2 == 0, at_s))
    assert [gesture for gesture, _ in watched(*edges)] == meant(*edges)


@given(st.floats(min_value=0.021, max_value=20.0))
def test_every_press_means_exactly_one_thing(held_s: float) -> None:
    assert len(meant((True, 1.0), (False, 1.0 + held_s))) == 1
