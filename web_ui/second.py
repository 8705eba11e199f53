"""One's own second factor: turn it on with the telephone at hand, turn it off with the password."""

from __future__ import annotations

import segno
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from edge_agent.domain.roles import Right
from edge_agent.errors import AccessError
from edge_agent.services import second_factor
from edge_agent.store import second_factors
from web_ui.access import FORBIDDEN, language, person
from web_ui.context import context
from web_ui.rights import needs
from web_ui.session import Hashing, visitor

blueprint = Blueprint("second", __name__, url_prefix="/account/second-factor")


@blueprint.get("/")
@needs(Right.OWN_ACCOUNT)
def page() -> ResponseReturnValue:
    """Show whether it is on, and what can be done."""
    return _page()


@blueprint.post("/begin")
@needs(Right.OWN_ACCOUNT)
def begin() -> ResponseReturnValue:
    """Make a secret and show it to the telephone."""
    behind = context()
    try:
        with Hashing():
            secret = second_factor.begin(
                behind.main,
                name=person().name,
                password=request.form.get("password", ""),
                now=behind.clock.now(),
                visitor=visitor(),
            )
    except AccessError as error:
        return _page(error), FORBIDDEN
    return _scan(secret)


@blueprint.post("/confirm")
@needs(Right.OWN_ACCOUNT)
def confirm() -> ResponseReturnValue:
    """Turn it on with a right code and show the recovery codes, this once."""
    behind = context()
    name = person().name
    try:
        codes = second_factor.confirm(
            behind.main, name=name, code=request.form.get("code", "")[:64], now=behind.clock.now()
        )
    except AccessError as error:
        begun = second_factors.find(behind.main, name)
        if begun is None or begun.confirmed:
            return _page(error), FORBIDDEN
        return _scan(begun.secret, error), FORBIDDEN
    return render_template("recovery.html", codes=codes)


@blueprint.post("/end")
@needs(Right.OWN_ACCOUNT)
def end() -> ResponseReturnValue:
    """Turn it off."""
    behind = context()
    t = behind.texts[language()]
    try:
        with Hashing():
            second_factor.end(
                behind.main,
                name=person().name,
                password=request.form.get("password", ""),
                now=behind.clock.now(),
                visitor=visitor(),
            )
    except AccessError as error:
        return _page(error), FORBIDDEN
    flash(t("second.ended"))
    return redirect(url_for("account.page"), 303)


def _page(error: AccessError | None = None) -> str:
    on = second_factors.confirmed(context().main, person().name)
    return render_template("second.html", on=on, error=error)


def _scan(secret: str, error: AccessError | None = None) -> str:
    address = second_factor.address_of(secret, name=person().name, box=context().settings.box.box)
    # Drawn here and put into the page: the secret reaches neither another address nor a cache.
    picture = Markup(segno.make(address, micro=False).svg_inline(scale=5, light="#fff", svgclass=None, lineclass=None))  # noqa: S704 - made of squares
    spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return render_template("scan.html", picture=picture, secret=spaced, error=error)
