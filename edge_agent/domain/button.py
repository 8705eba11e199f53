"""A button under the desk: the alert its press raises, what its light says, and whether it can be relied on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from edge_agent.domain.alert import Alert, AlertChange, AlertKind
from edge_agent.domain.incident import FINISHED, Incident, IncidentState
from edge_agent.domain.policy import Severity
from edge_agent.domain.press import Gesture, PressSource
from edge_agent.errors import Text

HELP = "button-help"
EMERGENCY = "button-emergency"
"""Criteria of an alert that a button raised; no rule of a policy has these names."""
TEST_EVERY = timedelta(days=1)
"""A button that has not worked within this time is shown as untested."""
LOW_BATTERY = 20
"""Percent from which a battery is to be changed; vendors of such buttons name 10 to 20."""

REASONS = {
    HELP: Text("オペレーターが応援を求めています。", "The operator asks for help."),
    EMERGENCY: Text("オペレーターが緊急ボタンを押しています。", "The operator signals an emergency."),
}
AGAIN = {
    HELP: Text("オペレーターがもう一度応援を求めています。", "The operator asks for help again."),
    EMERGENCY: Text("オペレーターがもう一度緊急ボタンを押しています。", "The operator signals an emergency again."),
}
GUIDES = {
    HELP: Text(
        "席へ向かうか、通話に入ってください。オペレーターに話しかける前に画面の通話状況を確認します。",
        "Go to the seat or join the call. Look at the state of the call before you speak to the operator.",
    ),
    EMERGENCY: Text(
        "直ちに席へ向かってください。身の危険があるときは 110 または 119 に通報します。",
        "Go to the seat at once. If anybody is in danger, call 110 or 119.",
    ),
}
TAKEN_BACK = Text("取り下げ: オペレーターがボタンで取り下げました。", "withdrawn: by the operator, at the button.")


class Effect(StrEnum):
    """What became of a press."""

    OPENED = "opened"
    RAISED = "raised"
    REPEATED = "repeated"
    TAKEN_BACK = "taken_back"
    NOTHING = "nothing"
    TESTED = "tested"
    PAUSED = "paused"
    RESUMED = "resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """One press as it was meant.

    Attributes:
        press_id: given where it is first seen, so that a repeat is known as one.
        told: what a button on the network numbered it with, empty for all others.
    """

    press_id: str
    button: str
    seat: str
    gesture: Gesture
    source: PressSource
    at: datetime
    told: str = ""


class LightState(StrEnum):
    """What a button's light says of its call for help."""

    OFF = "off"
    KEPT = "kept"
    SENT = "sent"
    DELIVERED = "delivered"
    SEEN = "seen"


PATTERNS: dict[LightState, tuple[int, ...]] = {
    LightState.OFF: (),
    LightState.KEPT: (100, 900),
    LightState.SENT: (250, 250),
    LightState.DELIVERED: (900, 100),
    LightState.SEEN: (1000,),
}
"""Milliseconds on, off, on, …, from the beginning again and again. A single figure is steady light, none is dark.

They grow from one short flash a second to steady light, so that they can be told apart without colour or counting.
"""


def lit(state: LightState, *, at_s: float) -> bool:
    """Return whether the light is on, `at_s` seconds into the pattern."""
    pattern = PATTERNS[state]
    if not pattern:
        return False
    left = int(at_s * 1000) % sum(pattern)
    for index, length in enumerate(pattern):
        if left < length:
            return index % 2 == 0
        left -= length
    return False


def light_state(incident: Incident | None, *, sent: bool, receipts: frozenset[str]) -> LightState:
    """Return what a button's light says; `receipts` are the kinds that any panel has sent."""
    if incident is None or incident.state in FINISHED:
        return LightState.OFF
    if incident.state is not IncidentState.OPEN or receipts & {"seen", "acknowledged"}:
        return LightState.SEEN
    if "delivered" in receipts:
        return LightState.DELIVERED
    return LightState.SENT if sent else LightState.KEPT


def call_for_help(press: Press, *, alert_id: str, call_id: str) -> Alert:
    """Return the alert of a press for help or in an emergency; `call_id` is empty between calls."""
    criterion = EMERGENCY if press.gesture is Gesture.EMERGENCY else HELP
    return Alert(
        alert_id=alert_id,
        call_id=call_id,
        seat=press.seat,
        kind=AlertKind.HELP,
        change=AlertChange.NEW,
        revision=1,
        at_s=0.0,
        types=(),
        severity=Severity.B3 if criterion == EMERGENCY else Severity.B2,
        criterion=criterion,
        reason=REASONS[criterion],
        guide=GUIDES[criterion],
        phrase="",
        quotes=(),
        warnings=0,
        policy_version="",
        model_version="",
    )


def is_emergency(alert: Alert) -> bool:
    """Whether an operator signalled an emergency."""
    return alert.kind is AlertKind.HELP and alert.criterion == EMERGENCY


def raised(alert: Alert) -> Alert:
    """Return a call for help as the emergency it has become."""
    return replace(
        alert,
        change=AlertChange.UPDATE,
        revision=alert.revision + 1,
        severity=Severity.B3,
        criterion=EMERGENCY,
        reason=REASONS[EMERGENCY],
        guide=GUIDES[EMERGENCY],
    )


def pressed_again(alert: Alert) -> Alert:
    """Return a call for help that is repeated: panels show it anew."""
    return replace(alert, change=AlertChange.UPDATE, revision=alert.revision + 1, reason=AGAIN[alert.criterion])


def taken_back(alert: Alert) -> Alert:
    """Return the last revision of a call for help that the operator has withdrawn."""
    return replace(
        alert, change=AlertChange.END, revision=alert.revision + 1, reason=TAKEN_BACK, withdrawn=True, tentative=False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonState:
    """What is known of a button.

    Attributes:
        source: which way its presses come.
        seen_at: when it last showed that it is there: a press, a heartbeat, its device being open.
        worked_at: when a press of it was last kept, a test among them.
        tested_at: when it was last pressed for a test.
        test_until: until then a press for help or a withdrawal is a test.
        battery: percent, None where there is none or it does not tell.
        fault: what is wrong with its device, None while it works.
    """

    name: str
    seat: str
    source: PressSource
    seen_at: datetime | None = None
    worked_at: datetime | None = None
    tested_at: datetime | None = None
    test_until: datetime | None = None
    battery: int | None = None
    fault: Text | None = None

    def tests(self, gesture: Gesture, *, now: datetime) -> bool:
        """Return whether such a press is a test now. An emergency never is: whoever holds the button may mean it."""
        return self.test_until is not None and now <= self.test_until and gesture is not Gesture.EMERGENCY


class Trouble(StrEnum):
    """Why a button is not to be relied on; the gravest first."""

    FAULT = "fault"
    SILENT = "silent"
    UNTESTED = "untested"
    LOW_BATTERY = "low_battery"


def troubles(button: ButtonState, *, silent_after: timedelta, now: datetime) -> tuple[Trouble, ...]:
    """Return what is wrong with a button, the gravest first; only a button on the network falls silent by time."""
    found = []
    if button.fault is not None:
        found.append(Trouble.FAULT)
    if button.source is PressSource.MQTT and (button.seen_at is None or now - button.seen_at > silent_after):
        found.append(Trouble.SILENT)
    if button.worked_at is None or now - button.worked_at > TEST_EVERY:
        found.append(Trouble.UNTESTED)
    if button.battery is not None and button.battery <= LOW_BATTERY:
        found.append(Trouble.LOW_BATTERY)
    return tuple(found)
