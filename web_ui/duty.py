"""Who is on duty: see the roster, and mark people as away or back."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from edge_agent.domain.roles import Right
from edge_agent.services import duty as services
from edge_agent.store import duty as store
from web_ui.access import language, person
from web_ui.context import context
from web_ui.rights import needs

blueprint = Blueprint("duty", __name__, url_prefix="/duty")


@blueprint.get("/")
@needs(Right.SEE_DUTY)
def page() -> ResponseReturnValue:
    """Show the roster in the order people are asked, and the policy's ladder."""
    behind = context()
    return render_template(
        "duty.html",
        people=store.everyone(behind.main),
        days=behind.texts[language()]("duty.days").split(),
        now=behind.clock.now().astimezone(),
        ladder=behind.policy.ladder,
    )


@blueprint.post("/<name>/absent")
@needs(Right.MARK_DUTY)
def absent(name: str) -> ResponseReturnValue:
    """Someone is away: the next person is asked."""
    return _mark(name, absent=True)


@blueprint.post("/<name>/back")
@needs(Right.MARK_DUTY)
def back(name: str) -> ResponseReturnValue:
    """Someone can be asked again."""
    return _mark(name, absent=False)


def _mark(name: str, *, absent: bool) -> ResponseReturnValue:
    behind = context()
    marked = services.mark(behind.main, name=name, absent=absent, by=person().name, now=behind.clock.now())
    t = behind.texts[language()]
    who = marked.display_name
    flash(t("duty.now_absent", who=who) if absent else t("duty.now_back", who=who))
    return redirect(url_for(".page"), 303)
