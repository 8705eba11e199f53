"""Dealing with an incident: look at it, acknowledge, take, close, and certify what it was."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.device import SHOWING, Presence
from edge_agent.domain.false_alarm import LONGEST_NOTE, Cause, FalseAlarm, ruled_out
from edge_agent.domain.incident import ALLOWED, FINISHED, HANDED_OVER, Incident, IncidentState, Verdict
from edge_agent.domain.roles import Right
from edge_agent.services import handing_over
from edge_agent.services import incidents as services
from edge_agent.settings import Box
from edge_agent.store import audit, callers, devices, duty, live, receipts
from edge_agent.store import incidents as store
from edge_agent.store.database import Database
from edge_agent.store.people import Person
from web_ui.access import language, local_path, may_act, may_do, person, sight, wants_page
from web_ui.context import context
from web_ui.floor import for_page
from web_ui.ladder import names as names_of
from web_ui.ladder import step_views
from web_ui.rights import needs
from web_ui.views import WORDS_SHOWN, actor, incident_view, seat_labels, words_view

blueprint = Blueprint("incidents", __name__, url_prefix="/incidents")

LISTED = 200
"""Incidents of the list; older ones are found through reports."""


class Step(Protocol):
    """Moves an incident on, in the name of a person."""

    def __call__(self, db: Database, incident_id: str, *, box: Box, by: str, now: datetime) -> Incident:
        """Return the incident as it is after the step."""
        ...


@blueprint.get("/")
@needs(Right.SEE_INCIDENTS)
def listing() -> ResponseReturnValue:
    """Show the newest incidents: what is still to be done, then what is finished."""
    behind = context()
    seen = behind.feed.last_id
    names = _names()
    labels = seat_labels(behind.settings)
    found = {i.incident_id: i for i in [*store.unfinished(behind.main), *store.recent(behind.main, LISTED)]}
    views = [
        sight().of_incident(incident_view(incident, labels=labels, policy=behind.policy, people=names, receipts=()))
        for incident in found.values()
        if sight().sees(incident.alert.seat)
    ]
    start = {"seen": seen, "language": language(), "texts": behind.texts[language()].for_scripts()}
    return render_template(
        "incidents.html",
        start=for_page(start),
        unfinished=sorted((v for v in views if v.state not in FINISHED), key=lambda v: v.urgency),
        finished=sorted((v for v in views if v.state in FINISHED), key=lambda v: v.opened_at, reverse=True),
    )


@blueprint.get("/<incident_id>")
@needs(Right.SEE_INCIDENTS)
def page(incident_id: str) -> ResponseReturnValue:
    """Show one incident: facts, reason, criterion, guide, words, who did what, and what can be done now."""
    behind = context()
    seen = behind.feed.last_id
    incident = _find(incident_id)
    names = _names()
    told = receipts.of(behind.main, incident_id)
    steps = duty.steps(behind.main, incident_id)
    view = sight().of_incident(
        incident_view(
            incident,
            labels=seat_labels(behind.settings),
            policy=behind.policy,
            people=names,
            receipts=told,
            steps=steps,
        )
    )
    alert = incident.alert
    heard = live.words(behind.live, alert.call_id) if may_do(Right.READ_WORDS) else []
    alerted = incident.state not in FINISHED
    words = [words_view(w, alerted=True) for w in heard[-WORDS_SHOWN:] if w.telling and alerted]
    start = {
        "seen": seen,
        "now": behind.clock.now(),
        "language": language(),
        "texts": behind.texts[language()].for_scripts(),
        "callId": alert.call_id,
        "incident": incident_id,
        "words": words,
    }
    return render_template(
        "incident.html",
        start=for_page(start),
        incident=incident,
        alert=alert,
        view=view,
        words=words,
        criterion=next((c for c in behind.policy.rules if c.id == alert.criterion), None),
        policy=behind.policy,
        caller=None if alert.kind is AlertKind.LIFE_SAFETY else callers.find(behind.main, incident_id),
        receipts=_by_panel(told),
        ladder=step_views(incident, steps, names),
        timeline=[(entry, actor(entry.actor, names)) for entry in audit.of(behind.main, incident_id)],
        reviewer=actor(incident.reviewed.by, names) if incident.reviewed else None,
        marker=actor(incident.false_alarm.by, names) if incident.false_alarm else None,
        may_rule_out=alert.kind is not AlertKind.HELP and incident.state is not IncidentState.REVIEWED,
        causes=list(Cause),
        longest_note=LONGEST_NOTE,
        steps=ALLOWED[incident.state],
        may_take=incident.may_take(person().name),
        colleagues=_colleagues(incident) if may_act() and incident.state in HANDED_OVER else [],
        away={someone.name for someone in duty.everyone(behind.main) if someone.absent},
        called=names,
        verdicts=list(Verdict),
    )


@blueprint.post("/<incident_id>/acknowledge")
@needs(Right.ACT_ON_INCIDENTS)
def acknowledge(incident_id: str) -> ResponseReturnValue:
    """Whoever asks has seen it."""
    return _move(incident_id, services.acknowledge)


@blueprint.post("/<incident_id>/take")
@needs(Right.ACT_ON_INCIDENTS)
def take(incident_id: str) -> ResponseReturnValue:
    """Whoever asks takes charge."""
    return _move(incident_id, services.take)


@blueprint.post("/<incident_id>/hand-over")
@needs(Right.ACT_ON_INCIDENTS)
def hand_over(incident_id: str) -> ResponseReturnValue:
    """Whoever asks wants somebody else to take it: form field `to`, a log-in name."""
    to, group = request.form.get("to", ""), _group(_find(incident_id))

    def ask(db: Database, incident_id: str, *, box: Box, by: str, now: datetime) -> Incident:  # noqa: ARG001
        return handing_over.hand_over(db, incident_id, to=to, group=group, by=by, now=now)

    return _move(incident_id, ask, done="handed_over")


@blueprint.post("/<incident_id>/close")
@needs(Right.ACT_ON_INCIDENTS)
def close(incident_id: str) -> ResponseReturnValue:
    """It is over for the floor."""
    return _move(incident_id, services.close)


@blueprint.post("/<incident_id>/review")
@needs(Right.CERTIFY)
def review(incident_id: str) -> ResponseReturnValue:
    """Whoever asks certifies what it was."""
    wanted = request.form.get("verdict", "")
    if wanted not in {verdict.value for verdict in Verdict}:
        abort(400)

    verdict = Verdict(wanted)
    needs_cause = verdict is Verdict.FALSE_ALARM and (request.form.get("cause") or not _find(incident_id).false_alarm)

    def certify(db: Database, incident_id: str, *, box: Box, by: str, now: datetime) -> Incident:
        why = _why(by, now) if needs_cause else None
        return services.review(db, incident_id, box=box, by=by, verdict=verdict, now=now, false_alarm=why)

    return _move(incident_id, certify)


@blueprint.post("/<incident_id>/false-alarm")
@needs(Right.ACT_ON_INCIDENTS)
def false_alarm(incident_id: str) -> ResponseReturnValue:
    """Whoever asks sees that it is no harassment, and says why; whoever reviews it begins from there."""

    def rule_out(db: Database, incident_id: str, *, box: Box, by: str, now: datetime) -> Incident:
        return services.rule_out(db, incident_id, _why(by, now), box=box)

    return _move(incident_id, rule_out)


def _why(by: str, now: datetime) -> FalseAlarm:
    return ruled_out(cause=request.form.get("cause", ""), note=request.form.get("note", ""), by=by, at=now)


def _group(incident: Incident) -> str:
    return next((seat.group for seat in context().settings.seats if seat.seat == incident.alert.seat), "")


def _colleagues(incident: Incident) -> list[Person]:
    """Return whom it can be handed over to."""
    has_it = {person().name, incident.taken.by if incident.taken else ""}
    able = handing_over.who_can_take(context().main, group=_group(incident))
    return [someone for someone in able if someone.name not in has_it]


def _move(incident_id: str, step: Step, *, done: str = "") -> ResponseReturnValue:
    behind = context()
    _find(incident_id)
    incident = step(behind.main, incident_id, box=behind.settings.box, by=person().name, now=behind.clock.now())
    if not wants_page():
        return jsonify({"incident": incident_id, "state": incident.state.value})
    flash(behind.texts[language()](f"done.{done or incident.state.value}"))
    return redirect(local_path(request.form.get("next") or url_for(".page", incident_id=incident_id)), 303)


def _find(incident_id: str) -> Incident:
    incident = store.find(context().main, incident_id)
    # An incident of another group's seat is not told from one that never was.
    if incident is None or not sight().sees(incident.alert.seat):
        abort(404)
    return incident


def _names() -> dict[str, str]:
    return names_of(context().main)


def _by_panel(told: list[receipts.Receipt]) -> dict[str, dict[str, str]]:
    """Return for each panel when it was delivered, seen and acknowledged there (ISO 8601), and whether it is missing.

    Panels that have not answered are there too: who did not know is as much part of the record as who did.
    """
    shown = [device for device in devices.everything(context().main) if device.kind in SHOWING]
    panels: dict[str, dict[str, str]] = {
        device.name: {"missing": "yes"} if device.presence is Presence.MISSING else {} for device in shown
    }
    for receipt in told:
        panels.setdefault(receipt.panel, {})[receipt.kind] = receipt.at
    return panels
