"""What a button's light says, and when a button is not to be relied on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from edge_agent.domain.alert import AlertChange, AlertKind
from edge_agent.domain.button import (
    EMERGENCY,
    HELP,
    PATTERNS,
    ButtonState,
    LightState,
    Press,
    Trouble,
    call_for_help,
    is_emergency,
    light_state,
    lit,
    raised,
    taken_back,
    troubles,
)
from edge_agent.domain.incident import Incident
from edge_agent.domain.policy import Severity
from edge_agent.domain.press import Gesture, PressSource
from edge_agent.errors import Text
from tests.builders import START, after

SILENT_AFTER = timedelta(minutes=90)


def a_press(gesture: Gesture = Gesture.HELP) -> Press:
    return Press(press_id="press-1", button="desk-03", seat="03", gesture=gesture, source=PressSource.GPIO, at=START)


def a_call(gesture: Gesture = Gesture.HELP) -> Incident:
    alert = call_for_help(a_press(gesture), alert_id="press-1", call_id="call-1")
    return Incident(alert=alert, opened_at=START)


def a_button(**changes: object) -> ButtonState:
    fields = {"seen_at": START, "worked_at": START} | changes
    return ButtonState(name="desk-03", seat="03", source=PressSource.MQTT, **fields)  # type: ignore[arg-type]


def test_a_call_for_help_is_an_alert_of_the_seat_with_what_to_do() -> None:
    alert = a_call().alert
    assert (alert.kind, alert.change, alert.seat, alert.call_id) == (AlertKind.HELP, AlertChange.NEW, "03", "call-1")
    assert (alert.criterion, alert.types, alert.quotes) == (HELP, (), ())
    assert alert.guide.ja
    assert alert.guide.en


def test_an_emergency_is_of_the_highest_severity() -> None:
    alert = a_call(Gesture.EMERGENCY).alert
    assert (alert.criterion, alert.severity) == (EMERGENCY, Severity.B3)
    assert is_emergency(alert)
    assert not is_emergency(a_call().alert)


def test_help_that_becomes_an_emergency_keeps_its_id() -> None:
    alert = raised(a_call().alert)
    assert (alert.alert_id, alert.revision, alert.change) == ("press-1", 2, AlertChange.UPDATE)
    assert is_emergency(alert)


def test_help_that_is_taken_back_ends_as_withdrawn() -> None:
    alert = taken_back(a_call().alert)
    assert (alert.change, alert.withdrawn, alert.revision) == (AlertChange.END, True, 2)


def test_the_light_tells_how_far_a_call_has_come() -> None:
    call = a_call()
    assert light_state(None, sent=False, receipts=frozenset()) is LightState.OFF
    assert light_state(call, sent=False, receipts=frozenset()) is LightState.KEPT
    assert light_state(call, sent=True, receipts=frozenset()) is LightState.SENT
    assert light_state(call, sent=True, receipts=frozenset({"delivered"})) is LightState.DELIVERED
    assert light_state(call, sent=True, receipts=frozenset({"delivered", "seen"})) is LightState.SEEN


def test_the_light_is_steady_once_a_person_has_answered_and_dark_when_it_is_over() -> None:
    answered = a_call().acknowledge(by="sato", at=after(5))
    assert light_state(answered, sent=False, receipts=frozenset()) is LightState.SEEN
    over = answered.close(by="sato", at=after(60))
    assert light_state(over, sent=True, receipts=frozenset({"acknowledged"})) is LightState.OFF


def test_every_state_of_the_light_looks_different() -> None:
    assert set(PATTERNS) == set(LightState)
    shares = [
        sum(lit(state, at_s=tick / 100) for tick in range(100))
        for state in (LightState.OFF, LightState.KEPT, LightState.SENT, LightState.DELIVERED, LightState.SEEN)
    ]
    assert shares == [0, 10, 50, 90, 100]


def test_a_button_that_worked_today_has_no_trouble() -> None:
    assert troubles(a_button(), silent_after=SILENT_AFTER, now=after(60)) == ()


def test_a_button_not_tested_for_a_day_is_shown() -> None:
    button = a_button(seen_at=after(24 * 3600))
    assert troubles(button, silent_after=SILENT_AFTER, now=after(24 * 3600)) == ()
    assert troubles(button, silent_after=SILENT_AFTER, now=after(24 * 3600 + 1)) == (Trouble.UNTESTED,)


def test_a_button_that_never_worked_is_untested() -> None:
    assert Trouble.UNTESTED in troubles(a_button(worked_at=None), silent_after=SILENT_AFTER, now=START)


@pytest.mark.parametrize("seen_at", [None, START])
def test_a_button_on_the_network_that_does_not_show_itself_is_silent(seen_at: object) -> None:
    found = troubles(a_button(seen_at=seen_at), silent_after=SILENT_AFTER, now=after(90 * 60 + 1))
    assert found == (Trouble.SILENT,)


def test_a_low_battery_and_a_fault_are_shown_the_fault_first() -> None:
    button = a_button(battery=20, fault=Text("無", "gone"))
    assert troubles(button, silent_after=SILENT_AFTER, now=START) == (Trouble.FAULT, Trouble.LOW_BATTERY)
    assert troubles(a_button(battery=21), silent_after=SILENT_AFTER, now=START) == ()
