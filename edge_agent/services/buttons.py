"""What a press does. Each function is one transaction: press, incident, outbox row and audit entry together."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from edge_agent.domain.button import (
    ButtonState,
    Effect,
    LightState,
    Press,
    Trouble,
    call_for_help,
    is_emergency,
    light_state,
    pressed_again,
    raised,
    taken_back,
    troubles,
)
from edge_agent.domain.incident import Incident, IncidentState
from edge_agent.domain.press import Gesture, PressSource
from edge_agent.errors import ButtonError, StoreError, Text
from edge_agent.services import topics
from edge_agent.services.incidents import keep
from edge_agent.settings import Box, Settings
from edge_agent.store import audit, buttons, incidents, live, outbox, receipts
from edge_agent.store.database import Database, reading, writing

TEST_WINDOW = timedelta(minutes=2)
"""How long a press is a test after somebody has begun one (design default)."""
SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is kept when a button last showed itself; spares a write for every heartbeat."""
NO_LIBRARY = Text(
    "ボタンを読むライブラリがありません。インストールをやり直してください。",
    "The library that reads it is missing. Install Mamori again.",
)
_NAMESPACE = uuid.UUID("5e8c1f0a-6d0f-4c0e-9a51-3c1d6f2b7a90")
"""Of press ids made from what a button on the network says of itself; drawn once at random."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonReport:
    """A button and whether it can be relied on."""

    button: ButtonState
    troubles: tuple[Trouble, ...]


def new_press_id() -> str:
    """Return an id for a press that is first seen here."""
    return uuid.uuid4().hex


def press_id_of(button: str, told: str) -> str:
    """Return the id of a press a button on the network has numbered, the same for every repeat of its message."""
    return uuid.uuid5(_NAMESPACE, f"{button}/{told}").hex


def call_at(live_database: Database, seat: str) -> str:
    """Return the id of the call under way at a seat; empty if there is none or it cannot be read."""
    try:
        with reading(live_database):
            found = [status.call_id for status in live.lines(live_database) if status.seat == seat]
    except StoreError:
        return ""
    return (found[0] or "") if found else ""


def press(db: Database, pressed: Press, *, box: Box, call_id: str, now: datetime, by: str | None = None) -> Effect:
    """Do what a press means, once: a press that was kept before changes nothing.

    `call_id` is the call under way at the seat, empty if there is none; `by` who pressed, None if only the button is
    known.

    Raises:
        StoreError: if it cannot be written; nothing is kept then.
    """
    actor = by or f"button:{pressed.button}"
    with writing(db):
        if known := buttons.effect_of(db, pressed.press_id):
            return known
        state = state_of(db, pressed)
        testing = state.tests(pressed.gesture, now=now)
        if testing:
            effect, incident = Effect.TESTED, None
        else:
            effect, incident = _do(db, pressed, box=box, call_id=call_id, actor=actor, now=now)
        kept = incident.incident_id if incident else ""
        if pressed.source is not PressSource.PAGE:
            buttons.put(db, after_press(state, pressed, testing=testing, now=now))
        keep_press(db, pressed, effect=effect, testing=testing, incident_id=kept, actor=actor, now=now)
    return effect


def state_of(db: Database, pressed: Press) -> ButtonState:
    """Return what is known of the button that was pressed, though it may never have shown itself before."""
    known = buttons.find(db, pressed.button)
    return known or ButtonState(name=pressed.button, seat=pressed.seat, source=pressed.source)


def keep_press(
    db: Database, pressed: Press, *, effect: Effect, testing: bool, actor: str, now: datetime, incident_id: str = ""
) -> None:
    """Keep a press, what became of it and the audit entry; call it inside the transaction that does it."""
    buttons.keep_press(db, pressed, effect=effect, incident_id=incident_id, now=now)
    audit.append(
        db,
        at=now,
        actor=actor,
        action="button.tested" if testing else "button.pressed",
        subject=incident_id or pressed.button,
        detail={
            "button": pressed.button,
            "seat": pressed.seat,
            "gesture": pressed.gesture.value,
            "effect": effect.value,
            "source": pressed.source.value,
            "at": pressed.at.isoformat(),
        },
    )


def light_of(db: Database, seat: str, *, box: Box) -> LightState:
    """Return what the light of a seat's buttons shows: how far its call for help has come."""
    calls = incidents.calls_for_help(db, seat)
    incident = _most_urgent(calls)
    if incident is None:
        return LightState.OFF
    told = frozenset(receipt.kind for receipt in receipts.of(db, incident.incident_id))
    sent = outbox.all_sent(db, topics.alert(box, incident.incident_id))
    return light_state(incident, sent=sent, receipts=told)


def lamp_wanted(db: Database) -> bool:
    """Return whether the lamp wired to the box is to be lit: somebody calls and nobody has answered yet."""
    return any(incident.state is IncidentState.OPEN for incident in incidents.calls_for_help(db))


def begin_test(db: Database, names: Iterable[str], *, settings: Settings, by: str, now: datetime) -> list[str]:
    """Make the next press of these buttons a test, all of the settings' if none is named; return their names.

    Raises:
        ButtonError: for a name that the settings do not know.
    """
    known = {button.name: button for button in settings.buttons}
    wanted = list(names) or list(known)
    for name in wanted:
        if name not in known:
            raise ButtonError(
                Text(f"ボタン「{name}」は設定の [[buttons]] にありません。", f"No button {name!r} among [[buttons]]."),
                Text("「mamori button list」で確認してください。", "See “mamori button list”."),
            )
    with writing(db):
        for name in wanted:
            button = known[name]
            state = buttons.find(db, name) or ButtonState(name=name, seat=button.seat, source=button.source)
            buttons.put(db, replace(state, test_until=now + TEST_WINDOW))
            audit.append(db, at=now, actor=by, action="button.test_begun", subject=name)
    return wanted


def note_seen(db: Database, seen: ButtonState, *, now: datetime) -> None:
    """Keep that a button has shown itself, with its battery and fault as `seen` has them."""
    with reading(db):
        known = buttons.find(db, seen.name)
    fresh = known is not None and known.seen_at is not None and now - known.seen_at < SEEN_EVERY
    battery = seen.battery if seen.battery is not None or known is None else known.battery
    seen_at = now if seen.fault is None else (known.seen_at if known else None)
    if known is not None and fresh and (known.fault, known.battery) == (seen.fault, battery):
        return
    with writing(db):
        state = buttons.find(db, seen.name) or seen
        buttons.put(
            db,
            replace(state, seat=seen.seat, source=seen.source, fault=seen.fault, battery=battery, seen_at=seen_at),
        )


def overview(db: Database, *, settings: Settings, now: datetime) -> list[ButtonReport]:
    """Return the buttons of the settings, each with what is wrong with it."""
    known = {state.name: state for state in buttons.everyone(db)}
    silent_after = timedelta(seconds=settings.presses.silent_s)
    reports = []
    for button in settings.buttons:
        unknown = ButtonState(name=button.name, seat=button.seat, source=button.source)
        state = replace(known.get(button.name, unknown), seat=button.seat, source=button.source)
        reports.append(ButtonReport(button=state, troubles=troubles(state, silent_after=silent_after, now=now)))
    return reports


def _do(
    db: Database, pressed: Press, *, box: Box, call_id: str, actor: str, now: datetime
) -> tuple[Effect, Incident | None]:
    current = _most_urgent(incidents.calls_for_help(db, pressed.seat))
    if pressed.gesture is Gesture.WITHDRAW:
        return _take_back(db, current, box=box, actor=actor, now=now)
    emergency = pressed.gesture is Gesture.EMERGENCY
    becomes_one = current is not None and emergency and not is_emergency(current.alert)
    if current is None or (becomes_one and current.state is not IncidentState.OPEN):
        # Whoever answered the first call does not know of the emergency: it is told as a new alert.
        alert = call_for_help(pressed, alert_id=pressed.press_id, call_id=call_id)
        incident = Incident(alert=alert, opened_at=pressed.at)
        keep(db, incident, box=box, now=now, actor=actor, action="incident.called", moved=False)
        return Effect.OPENED, incident
    effect = Effect.RAISED if becomes_one else Effect.REPEATED
    alert = raised(current.alert) if becomes_one else pressed_again(current.alert)
    incident = current.with_alert(alert)
    keep(db, incident, box=box, now=now, actor=actor, action=f"alert.{effect.value}", moved=False)
    return effect, incident


def _take_back(
    db: Database, current: Incident | None, *, box: Box, actor: str, now: datetime
) -> tuple[Effect, Incident | None]:
    if current is None or is_emergency(current.alert):
        # An emergency is ended by whoever has been there; nobody may be made to take it back.
        return Effect.NOTHING, current
    incident = current.with_alert(taken_back(current.alert)).withdraw(by=actor, at=now)
    keep(db, incident, box=box, now=now, actor=actor, action="alert.taken_back", moved=False)
    return Effect.TAKEN_BACK, incident


def _most_urgent(calls: list[Incident]) -> Incident | None:
    return min(calls, key=lambda i: (not is_emergency(i.alert), i.opened_at), default=None)


def after_press(state: ButtonState, pressed: Press, *, testing: bool, now: datetime) -> ButtonState:
    """Return what is known of a button once a press of it has been kept: it works."""
    return replace(
        state,
        seat=pressed.seat,
        source=pressed.source,
        seen_at=now,
        worked_at=now,
        tested_at=now if testing else state.tested_at,
        test_until=None if testing else state.test_until,
    )
