"""What a press does: once, with its message and its entry, whatever happened before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent.domain.alert import AlertChange, AlertKind
from edge_agent.domain.button import EMERGENCY, Effect, LightState, Press, Trouble
from edge_agent.domain.call import LineState
from edge_agent.domain.incident import IncidentState
from edge_agent.domain.press import Gesture, PressSource
from edge_agent.errors import ButtonError
from edge_agent.services import buttons as services
from edge_agent.services import incidents as moves
from edge_agent.services.buttons import begin_test, call_at, lamp_wanted, light_of, note_seen, overview, press
from edge_agent.settings import Seat, Settings
from edge_agent.settings_buttons import Button
from edge_agent.store import audit, buttons, incidents, live, outbox
from edge_agent.store.database import Database, open_live, open_main, writing
from edge_agent.store.live import LineStatus
from tests.builders import BOX, START, after, an_alert

SEAT = Seat(seat="03", label_ja="3番席", label_en="Seat 3", device="tap")
SETTINGS = Settings(seats=(SEAT,), buttons=(Button(name="desk-03", seat="03", kind="mqtt"),))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_main(tmp_path)
    yield database
    database.close()


def pressed(gesture: Gesture = Gesture.HELP, number: int = 1, *, at_s: float = 0.0, seat: str = "03") -> Press:
    return Press(
        press_id=f"press-{number}",
        button=f"desk-{seat}",
        seat=seat,
        gesture=gesture,
        source=PressSource.GPIO,
        at=after(at_s),
    )


def do(db: Database, *presses: Press) -> list[Effect]:
    return [press(db, one, box=BOX, call_id="call-1", now=one.at) for one in presses]


def messages(db: Database) -> list[dict[str, Any]]:
    return [json.loads(row.payload) for row in outbox.unsent(db, owner=outbox.BUTTONS)]


def test_a_press_for_help_opens_an_incident_with_message_and_entries(db: Database) -> None:
    assert do(db, pressed()) == [Effect.OPENED]
    [incident] = incidents.calls_for_help(db)
    assert (incident.incident_id, incident.state, incident.alert.kind) == ("press-1", "open", AlertKind.HELP)
    assert [(m["change"], m["kind"], m["incident_state"]) for m in messages(db)] == [("new", "help", "open")]
    assert [(entry.actor, entry.action) for entry in audit.of(db, "press-1")] == [
        ("button:desk-03", "incident.called"),
        ("button:desk-03", "button.pressed"),
    ]


def test_what_a_button_causes_is_not_left_to_the_agent_to_send(db: Database) -> None:
    do(db, pressed())
    moves.acknowledge(db, "press-1", box=BOX, by="sato", now=after(5))
    assert outbox.unsent(db, owner=outbox.AGENT) == []
    assert [m["incident_state"] for m in messages(db)] == ["open", "acknowledged"]
    moves.open_incident(db, an_alert(quotes=()), box=BOX, now=START)
    assert len(outbox.unsent(db, owner=outbox.AGENT)) == 1


def test_the_same_press_told_twice_is_one(db: Database) -> None:
    assert do(db, pressed(), pressed()) == [Effect.OPENED, Effect.OPENED]
    assert len(messages(db)) == 1
    assert buttons.count_presses(db) == 1


def test_pressing_again_repeats_the_call_instead_of_making_another(db: Database) -> None:
    assert do(db, pressed(), pressed(number=2, at_s=10)) == [Effect.OPENED, Effect.REPEATED]
    assert [(m["alert_id"], m["revision"], m["change"]) for m in messages(db)] == [
        ("press-1", 1, "new"),
        ("press-1", 2, "update"),
    ]
    assert "もう一度" in messages(db)[1]["reason"]["ja"]


def test_calls_of_two_seats_are_two_incidents(db: Database) -> None:
    do(db, pressed(), pressed(number=2, seat="04"))
    assert {incident.alert.seat for incident in incidents.calls_for_help(db)} == {"03", "04"}
    assert [incident.alert.seat for incident in incidents.calls_for_help(db, "04")] == ["04"]


def test_a_long_press_takes_the_seats_own_call_back_visibly(db: Database) -> None:
    do(db, pressed(), pressed(number=2, seat="04"), pressed(Gesture.WITHDRAW, 3, at_s=20))
    incident = incidents.find(db, "press-1")
    assert incident is not None
    assert (incident.state, incident.alert.withdrawn) == (IncidentState.WITHDRAWN, True)
    assert incident.closed is not None
    assert incident.closed.by == "button:desk-03"
    assert [entry.action for entry in audit.of(db, "press-1")][-2:] == ["alert.taken_back", "button.pressed"]
    assert messages(db)[-1]["withdrawn"] is True
    assert [i.alert.seat for i in incidents.calls_for_help(db)] == ["04"]


def test_a_long_press_without_a_call_changes_nothing_but_is_kept(db: Database) -> None:
    assert do(db, pressed(Gesture.WITHDRAW)) == [Effect.NOTHING]
    assert messages(db) == []
    assert [entry.action for entry in audit.of(db, "desk-03")] == ["button.pressed"]


def test_a_long_press_touches_no_suspicion_the_box_has_of_the_call(db: Database) -> None:
    moves.open_incident(db, an_alert(seat="03"), box=BOX, now=START)
    assert do(db, pressed(Gesture.WITHDRAW)) == [Effect.NOTHING]
    suspicion = incidents.find(db, "alert-1")
    assert suspicion is not None
    assert suspicion.state is IncidentState.OPEN


def test_holding_raises_an_open_call_to_an_emergency(db: Database) -> None:
    assert do(db, pressed(), pressed(Gesture.EMERGENCY, 2, at_s=5)) == [Effect.OPENED, Effect.RAISED]
    [incident] = incidents.calls_for_help(db)
    assert (incident.incident_id, incident.alert.criterion, incident.alert.change) == (
        "press-1",
        EMERGENCY,
        AlertChange.UPDATE,
    )


def test_an_emergency_after_somebody_answered_is_a_new_alert(db: Database) -> None:
    do(db, pressed())
    moves.acknowledge(db, "press-1", box=BOX, by="sato", now=after(2))
    assert do(db, pressed(Gesture.EMERGENCY, 2, at_s=5)) == [Effect.OPENED]
    assert messages(db)[-1]["change"] == "new"
    assert messages(db)[-1]["alert_id"] == "press-2"


def test_nobody_can_be_made_to_take_an_emergency_back(db: Database) -> None:
    do(db, pressed(Gesture.EMERGENCY))
    assert do(db, pressed(Gesture.WITHDRAW, 2, at_s=5)) == [Effect.NOTHING]
    assert [i.state for i in incidents.calls_for_help(db)] == [IncidentState.OPEN]


def test_the_incident_is_opened_when_it_was_pressed_not_when_it_was_written(db: Database) -> None:
    press(db, pressed(), box=BOX, call_id="", now=after(600))
    [incident] = incidents.calls_for_help(db)
    assert incident.opened_at == START


def test_the_light_goes_from_kept_to_seen_and_out(db: Database) -> None:
    assert light_of(db, "03", box=BOX) is LightState.OFF
    do(db, pressed())
    assert (light_of(db, "03", box=BOX), lamp_wanted(db)) == (LightState.KEPT, True)
    with writing(db):
        outbox.mark_sent(db, outbox.unsent(db)[0].row_id, now=after(1))
    assert light_of(db, "03", box=BOX) is LightState.SENT
    moves.note_receipt(db, alert_id="press-1", panel="panel-1", kind="delivered", box=BOX, now=after(1))
    assert light_of(db, "03", box=BOX) is LightState.DELIVERED
    moves.note_receipt(db, alert_id="press-1", panel="panel-1", kind="acknowledged", box=BOX, now=after(3))
    assert (light_of(db, "03", box=BOX), lamp_wanted(db)) == (LightState.SEEN, False)
    moves.close(db, "press-1", box=BOX, by="sato", now=after(60))
    assert light_of(db, "03", box=BOX) is LightState.OFF


def test_a_test_is_kept_and_calls_nobody(db: Database) -> None:
    assert begin_test(db, [], settings=SETTINGS, by="sato", now=START) == ["desk-03"]
    assert do(db, pressed(at_s=30)) == [Effect.TESTED]
    assert messages(db) == []
    [report] = overview(db, settings=SETTINGS, now=after(31))
    assert (report.button.tested_at, report.troubles) == (after(30), ())
    assert [entry.action for entry in audit.of(db, "desk-03")] == ["button.test_begun", "button.tested"]


def test_only_one_press_is_the_test(db: Database) -> None:
    begin_test(db, ["desk-03"], settings=SETTINGS, by="sato", now=START)
    assert do(db, pressed(at_s=30), pressed(number=2, at_s=35)) == [Effect.TESTED, Effect.OPENED]


def test_a_test_nobody_pressed_for_is_over_after_two_minutes(db: Database) -> None:
    begin_test(db, ["desk-03"], settings=SETTINGS, by="sato", now=START)
    assert do(db, pressed(at_s=121)) == [Effect.OPENED]


def test_an_emergency_is_never_a_test(db: Database) -> None:
    begin_test(db, ["desk-03"], settings=SETTINGS, by="sato", now=START)
    assert do(db, pressed(Gesture.EMERGENCY, at_s=30)) == [Effect.OPENED]


def test_a_button_that_is_not_in_the_settings_cannot_be_tested(db: Database) -> None:
    with pytest.raises(ButtonError):
        begin_test(db, ["desk-99"], settings=SETTINGS, by="sato", now=START)


def test_a_button_that_was_never_pressed_is_shown_as_untested(db: Database) -> None:
    [report] = overview(db, settings=SETTINGS, now=START)
    assert report.troubles == (Trouble.SILENT, Trouble.UNTESTED)


def test_a_heartbeat_keeps_the_battery_and_is_not_written_every_time(db: Database) -> None:
    seen = buttons.ButtonState(name="desk-03", seat="03", source=PressSource.MQTT, battery=15)
    note_seen(db, seen, now=START)
    other = db.version()
    note_seen(db, seen, now=after(30))
    assert buttons.find(db, "desk-03") == services.replace(seen, seen_at=START)
    note_seen(db, services.replace(seen, battery=None), now=after(90))
    kept = buttons.find(db, "desk-03")
    assert kept is not None
    assert (kept.seen_at, kept.battery, db.version()) == (after(90), 15, other)


def test_a_press_of_the_seat_page_is_kept_with_who_pressed_and_is_no_button_to_be_tested(db: Database) -> None:
    page = Press(press_id="p", button="page-03", seat="03", gesture=Gesture.HELP, source=PressSource.PAGE, at=START)
    press(db, page, box=BOX, call_id="", now=START, by="tanaka")
    assert buttons.everyone(db) == []
    assert audit.of(db, "p")[0].actor == "tanaka"


def test_the_call_under_way_is_named_if_it_can_be_read(tmp_path: Path) -> None:
    now = open_live(tmp_path)
    with writing(now):
        live.put_line(now, LineStatus(seat="03", state=LineState.IN_CALL, call_id="call-7", since=START))
    assert (call_at(now, "03"), call_at(now, "04")) == ("call-7", "")
    now.conn.execute("DROP TABLE lines")
    assert call_at(now, "03") == ""


def test_a_message_of_a_network_button_has_the_same_id_whenever_it_comes() -> None:
    assert services.press_id_of("desk-03", "17") == services.press_id_of("desk-03", "17")
    assert services.press_id_of("desk-03", "17") != services.press_id_of("desk-04", "17")
