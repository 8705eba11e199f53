"""People administered: add somebody, roles and groups, a new one-time password, sessions, retiring."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from edge_agent.domain.roles import Right, Role
from edge_agent.errors import AccessError
from edge_agent.services import accounts, lockout, second_factor, sessions
from edge_agent.services import staff as services
from edge_agent.store import second_factors
from web_ui.access import FORBIDDEN, language, person
from web_ui.account import browser_name
from web_ui.context import context
from web_ui.rights import needs
from web_ui.session import Hashing

blueprint = Blueprint("staff", __name__, url_prefix="/people")


@blueprint.get("/")
@needs(Right.MANAGE_PEOPLE)
def listing() -> ResponseReturnValue:
    """Show everybody who may log in, and the form for one more."""
    return _listing()


@blueprint.post("/")
@needs(Right.MANAGE_PEOPLE)
def add() -> ResponseReturnValue:
    """Add somebody and show the one-time password, this once."""
    behind = context()
    password = accounts.one_time_password()
    name = request.form.get("name", "").strip()
    try:
        role = _role()
        with Hashing():
            accounts.create_person(
                behind.main,
                name=name,
                display_name=request.form.get("display_name", "").strip() or name,
                role=role,
                password=password,
                must_change=True,
                now=behind.clock.now(),
                by=person().name,
            )
    except AccessError as error:
        return _listing(error), FORBIDDEN
    return render_template("once.html", name=name, password=password)


@blueprint.get("/<name>")
@needs(Right.MANAGE_PEOPLE)
def page(name: str) -> ResponseReturnValue:
    """Show one person and what can be done."""
    behind = context()
    now = behind.clock.now()
    someone = services.find(behind.main, name)
    return render_template(
        "person.html",
        someone=someone,
        locked=lockout.is_locked(someone, now),
        roles=list(Role),
        groups=sorted(_groups() | set(someone.groups)),
        second=second_factors.confirmed(behind.main, name),
        sessions=sessions.of(behind.main, name, now=now),
        browser_name=browser_name,
    )


@blueprint.post("/<name>/role")
@needs(Right.MANAGE_PEOPLE)
def change_role(name: str) -> ResponseReturnValue:
    """Give somebody another role."""
    behind = context()
    services.change_role(behind.main, name=name, role=_role(), by=person().name, now=behind.clock.now())
    return _back(name, "people.changed")


@blueprint.post("/<name>/groups")
@needs(Right.MANAGE_PEOPLE)
def change_groups(name: str) -> ResponseReturnValue:
    """Give somebody the seats of some groups, or the whole floor."""
    behind = context()
    services.change_groups(
        behind.main,
        name=name,
        groups=request.form.getlist("group"),
        known=_groups(),
        by=person().name,
        now=behind.clock.now(),
    )
    return _back(name, "people.changed")


@blueprint.post("/<name>/password")
@needs(Right.MANAGE_PEOPLE)
def reset_password(name: str) -> ResponseReturnValue:
    """Give somebody a new one-time password and show it, this once."""
    behind = context()
    with Hashing():
        password = accounts.reset_password(behind.main, name=name, now=behind.clock.now(), by=person().name)
    return render_template("once.html", name=name, password=password)


@blueprint.post("/<name>/second-factor/end")
@needs(Right.MANAGE_PEOPLE)
def end_second_factor(name: str) -> ResponseReturnValue:
    """Turn off the second factor of somebody who has lost telephone and recovery codes."""
    behind = context()
    second_factor.take_away(behind.main, name=name, by=person().name, now=behind.clock.now())
    return _back(name, "second.ended")


@blueprint.post("/<name>/unlock")
@needs(Right.MANAGE_PEOPLE)
def unlock(name: str) -> ResponseReturnValue:
    """Let somebody try again at once."""
    behind = context()
    services.unlock(behind.main, name=name, by=person().name, now=behind.clock.now())
    return _back(name, "people.unlocked")


@blueprint.post("/<name>/sessions/end")
@needs(Right.MANAGE_PEOPLE)
def end_sessions(name: str) -> ResponseReturnValue:
    """End one session of somebody, or all of them."""
    behind = context()
    now, by = behind.clock.now(), person().name
    someone = services.find(behind.main, name)
    if wanted := request.form.get("session"):
        sessions.revoke(behind.main, name=someone.name, session_id=wanted, by=by, now=now)
    else:
        sessions.revoke_all(behind.main, name=someone.name, by=by, now=now)
    return _back(name, "people.sessions_ended")


@blueprint.post("/<name>/retire")
@needs(Right.MANAGE_PEOPLE)
def retire(name: str) -> ResponseReturnValue:
    """Let somebody log in no more."""
    behind = context()
    services.retire(behind.main, name=name, by=person().name, now=behind.clock.now())
    return _told("people.retired", url_for(".listing"))


def _listing(error: AccessError | None = None) -> str:
    behind = context()
    return render_template(
        "people.html",
        people=services.present(behind.main),
        now=behind.clock.now(),
        is_locked=lockout.is_locked,
        roles=list(Role),
        error=error,
        name=request.form.get("name", ""),
        display_name=request.form.get("display_name", ""),
    )


def _back(name: str, key: str) -> ResponseReturnValue:
    # Whoever has changed their own role or ended their own sessions is led to the log-in from there.
    return _told(key, url_for(".page", name=name))


def _told(key: str, where: str) -> ResponseReturnValue:
    flash(context().texts[language()](key))
    return redirect(where, 303)


def _role() -> Role:
    wanted = request.form.get("role", "")
    if wanted not in {role.value for role in Role}:
        abort(400)
    return Role(wanted)


def _groups() -> set[str]:
    return {seat.group for seat in context().settings.seats if seat.group}
