"""One's own account: where one is logged in, and ending what should not go on."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from edge_agent.domain.roles import Right
from edge_agent.services import sessions
from edge_agent.store import second_factors
from web_ui.access import SESSION_COOKIE, language, person
from web_ui.context import context
from web_ui.rights import needs

blueprint = Blueprint("account", __name__, url_prefix="/account")

BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
"""What browsers call themselves, the telling part first: most claim to be several."""
MACHINES = ("iPad", "iPhone", "Android", "Windows", "Macintosh", "Linux")


@blueprint.get("/")
@needs(Right.OWN_ACCOUNT)
def page() -> ResponseReturnValue:
    """Show one's sessions, and the way to one's password."""
    behind = context()
    return render_template(
        "account.html",
        sessions=sessions.of(behind.main, person().name, now=behind.clock.now()),
        here=sessions.name_of(request.cookies.get(SESSION_COOKIE, "")),
        browser_name=browser_name,
        second=second_factors.confirmed(behind.main, person().name),
    )


@blueprint.post("/sessions/<session_id>/end")
@needs(Right.OWN_ACCOUNT)
def end_session(session_id: str) -> ResponseReturnValue:
    """End one of one's own sessions."""
    behind = context()
    name = person().name
    sessions.revoke(behind.main, name=name, session_id=session_id, by=name, now=behind.clock.now())
    flash(behind.texts[language()]("account.ended"))
    return redirect(url_for(".page"), 303)


@blueprint.post("/sessions/others/end")
@needs(Right.OWN_ACCOUNT)
def end_others() -> ResponseReturnValue:
    """End all one's sessions but this one."""
    behind = context()
    name, here = person().name, request.cookies.get(SESSION_COOKIE, "")
    count = sessions.revoke_all(behind.main, name=name, by=name, now=behind.clock.now(), but=here)
    flash(behind.texts[language()]("account.ended_others", count=count))
    return redirect(url_for(".page"), 303)


def browser_name(agent: str) -> str:
    """Return what people call a browser and its machine; a dash if neither is known."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    machine = next((mark for mark in MACHINES if mark in agent), "")
    return " · ".join(part for part in (browser, machine) if part) or "–"
