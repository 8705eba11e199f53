"""What a seat and an incident look like, and what is shown first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_agent.domain.alert import Alert, AlertKind
from edge_agent.domain.call import LineState
from edge_agent.domain.finding import Label
from edge_agent.domain.incident import Incident
from edge_agent.domain.policy import Severity
from edge_agent.errors import Text
from edge_agent.store.live import LineStatus
from edge_agent.store.receipts import Receipt
from tests.builders import START, a_policy, after, an_alert
from tests.web_ui.conftest import in_call
from web_ui.seat_views import SeatView, Show, seat_view
from web_ui.views import IncidentView, actor, incident_view, marked

LABEL = Text("1番席", "Seat 1")
FAULT = Text("ケーブルを確認してください。", "Check the cable.")


def view(alert: Alert, *, at_s: float = 0.0) -> IncidentView:
    return incident_view(
        Incident(alert=alert, opened_at=after(at_s)),
        labels={"01": LABEL},
        policy=a_policy(),
        people={"sato": "佐藤 美咲"},
        receipts=(),
    )


def life_alert(**changes: object) -> Alert:
    fields = {"kind": AlertKind.LIFE_SAFETY, "types": (), "severity": Severity.B0}
    return an_alert("alert-life", **(fields | changes))


def seat(status: LineStatus | None, *incidents: IncidentView) -> SeatView:
    return seat_view("01", LABEL, status, incidents)


def test_a_seat_the_agent_has_not_spoken_of_is_not_shown_as_idle() -> None:
    assert seat(None).show is Show.WAITING


def test_an_idle_seat_is_idle_and_a_call_is_a_call() -> None:
    assert seat(LineStatus(seat="01", state=LineState.IDLE)).show is Show.IDLE
    shown = seat(in_call())
    assert (shown.show, shown.since) == (Show.IN_CALL, START)


def test_a_suspicion_in_the_call_outranks_its_complaint() -> None:
    shown = seat(in_call(complaint=True), view(an_alert()))
    assert (shown.show, shown.severity, shown.incident) == (Show.SUSPECTED, 3, "alert-1")


def test_a_complaint_alone_is_shown_as_a_complaint() -> None:
    assert seat(in_call(complaint=True)).show is Show.COMPLAINT


def test_life_safety_outranks_a_suspicion_of_the_same_call() -> None:
    shown = seat(in_call(), view(an_alert()), view(life_alert()))
    assert (shown.show, shown.incident) == (Show.LIFE_SAFETY, "alert-life")


def test_life_safety_stays_on_the_seat_when_its_incident_is_closed_during_the_call() -> None:
    assert seat(in_call(life_safety=True)).show is Show.LIFE_SAFETY


def test_a_fault_never_hides_the_alert_of_its_call() -> None:
    shown = seat(in_call().faulty(FAULT), view(an_alert()))
    assert (shown.show, shown.fault) == (Show.SUSPECTED, FAULT)


def test_a_faulty_line_shows_what_is_wrong() -> None:
    shown = seat(LineStatus(seat="01", state=LineState.IDLE).faulty(FAULT))
    assert (shown.show, shown.fault) == (Show.FAULT, FAULT)


def test_the_alert_of_a_call_that_is_over_does_not_colour_the_next_caller() -> None:
    assert seat(in_call(call_id="call-2"), view(an_alert())).show is Show.IN_CALL


def test_a_button_pressed_shows_help() -> None:
    assert seat(in_call(), view(an_alert(kind=AlertKind.HELP, types=()))).show is Show.HELP


def test_life_safety_comes_first_then_help_then_the_gravest_then_who_has_waited_longest() -> None:
    views = {
        "late B2": view(an_alert(severity=Severity.B2), at_s=60),
        "B3": view(an_alert(), at_s=90),
        "help": view(an_alert(kind=AlertKind.HELP, types=(), severity=Severity.B0), at_s=95),
        "early B2": view(an_alert(severity=Severity.B2), at_s=0),
        "life": view(life_alert(), at_s=99),
    }
    order = sorted(views, key=lambda name: views[name].urgency)
    assert order == ["life", "help", "B3", "early B2", "late B2"]


def test_what_nobody_has_seen_comes_before_what_somebody_deals_with() -> None:
    seen = Incident(alert=life_alert(), opened_at=START).acknowledge(by="sato", at=after(5))
    shown = incident_view(seen, labels={}, policy=a_policy(), people={}, receipts=())
    assert view(an_alert(severity=Severity.B1)).urgency < shown.urgency


def test_an_alert_is_worded_as_a_suspicion() -> None:
    shown = view(an_alert(types=(Label.THREAT, Label.ABUSE)))
    assert shown.title.ja.endswith("の疑い")
    assert shown.title.en.startswith("Suspected:")


def test_life_safety_is_neither_a_suspicion_nor_graded() -> None:
    shown = view(life_alert())
    assert "疑い" not in shown.title.ja
    assert shown.grade is None


def test_receipts_are_counted_by_panel() -> None:
    told = [
        Receipt(alert_id="alert-1", panel=panel, kind=kind, at=START.isoformat())
        for panel, kind in (("a", "delivered"), ("b", "delivered"), ("a", "seen"))
    ]
    incident = Incident(alert=an_alert(), opened_at=START)
    shown = incident_view(incident, labels={}, policy=a_policy(), people={}, receipts=told)
    assert (shown.delivered, shown.seen) == (2, 1)


def test_a_phrase_the_policy_no_longer_has_is_left_out() -> None:
    assert view(replace(an_alert(), phrase="gone")).phrase is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [("sato", "佐藤 美咲"), ("mamori", "Mamori"), ("panel:wall-1", "パネル wall-1"), ("left", "left")],
)
def test_whoever_did_something_is_called_by_name(name: str, shown: str) -> None:
    assert actor(name, {"sato": "佐藤 美咲"}).ja == shown


@pytest.mark.parametrize(
    ("stretches", "pieces"),
    [
        ((), [("お前殺すぞ", False)]),
        (((0, 5),), [("お前殺すぞ", False)]),
        (((2, 5),), [("お前", False), ("殺すぞ", True)]),
        (((0, 2), (4, 5)), [("お前", True), ("殺す", False), ("ぞ", True)]),
    ],
)
def test_the_words_that_carried_a_decision_are_marked_unless_it_was_all_of_them(
    stretches: tuple[tuple[int, int], ...], pieces: list[tuple[str, bool]]
) -> None:
    assert marked("お前殺すぞ", stretches) == pieces
