"""Coming and going: log in, set one's own password, choose a language, log out."""

from __future__ import annotations

import threading

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from edge_agent.domain.roles import Right, Role
from edge_agent.errors import AccessError, Text
from edge_agent.services import accounts, seating, second_factor, sessions
from edge_agent.services.sessions import Visitor
from edge_agent.store.people import Person
from web_ui.access import LANGUAGE_COOKIE, SESSION_COOKIE, home, local_path, person
from web_ui.context import context
from web_ui.rights import needs
from web_ui.texts import LANGUAGES

blueprint = Blueprint("session", __name__)

YEAR_S = 365 * 24 * 3600
HASHING = threading.BoundedSemaphore(2)
"""Argon2 takes 64 MB and a core each time; a flood of log-ins must not take them from the calls."""
HASHING_WAIT_S = 5.0


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """Show the log-in page; check name and password."""
    after = request.values.get("next")
    if request.method == "GET":
        if g.person is not None:
            return redirect(local_path(after), 303)
        if request.args.get("language") in LANGUAGES:
            return _remember_language(redirect(url_for(".login", next=after), 303), request.args["language"])
        return render_template("login.html", after=after, name="")
    name = request.form.get("name", "").strip()[:64]
    try:
        found, token = _log_in(name, request.form.get("password", ""))
    except AccessError as error:
        return render_template("login.html", after=after, name=name, error=error), 403
    if before := request.cookies.get(SESSION_COOKIE):
        sessions.end(context().main, before, now=context().clock.now())
    # A new signed cookie, so that a token planted before the log-in is worth nothing after it.
    session.clear()
    if sessions.owing(context().main, token, now=context().clock.now()) is not None:
        return _with_cookie(redirect(url_for(".code", next=after), 303), token, found.role)
    return _enter(found, token, after)


@blueprint.route("/login/code", methods=["GET", "POST"])
def code() -> ResponseReturnValue:
    """Ask for the second factor of somebody whose password was right."""
    after = request.values.get("next")
    token = request.cookies.get(SESSION_COOKIE, "")
    now = context().clock.now()
    if sessions.owing(context().main, token, now=now) is None:
        return redirect(url_for(".login", next=after), 303)
    if request.method == "GET":
        return render_template("code.html", after=after)
    given = request.form.get("code", "")[:64]
    try:
        found, fresh = second_factor.log_in(context().main, token, code=given, now=now, visitor=visitor())
    except AccessError as error:
        return render_template("code.html", after=after, error=error), 403
    session.clear()
    return _enter(found, fresh, after)


def _enter(found: Person, token: str, after: str | None) -> ResponseReturnValue:
    g.person = found
    target = url_for(".password") if found.must_change else local_path(after)
    return _with_cookie(redirect(target, 303), token, found.role)


@blueprint.post("/logout")
@needs(Right.OWN_ACCOUNT)
def logout() -> ResponseReturnValue:
    """End the session."""
    token = request.cookies.get(SESSION_COOKIE, "")
    sessions.end(context().main, token, now=context().clock.now())
    # Whoever goes home sits there no more; a session that runs out may still be somebody at work.
    seating.leave(context().main, person=person().name, now=context().clock.now())
    session.clear()
    response = redirect(url_for(".login"), 303)
    response.delete_cookie(SESSION_COOKIE, secure=True, httponly=True, samesite="Strict")
    return response


@blueprint.route("/password", methods=["GET", "POST"])
@needs(Right.OWN_ACCOUNT)
def password() -> ResponseReturnValue:
    """Change one's own password; the one-time password of a new account has to be."""
    if request.method == "GET":
        return render_template("password.html")
    new = request.form.get("new", "")
    try:
        _refuse_difference(new, request.form.get("again", ""))
        with Hashing():
            accounts.change_password(
                context().main,
                name=person().name,
                old=request.form.get("old", ""),
                new=new,
                now=context().clock.now(),
                visitor=visitor(),
            )
    except AccessError as error:
        return render_template("password.html", error=error), 403
    # Changing it has ended every session of this person, this one too.
    token = sessions.open_for(context().main, person(), visitor(), now=context().clock.now())
    session.clear()
    flash(context().texts[person().language]("password.changed"))
    return _with_cookie(redirect(home(), 303), token, person().role)


@blueprint.post("/language")
@needs(Right.OWN_ACCOUNT)
def language() -> ResponseReturnValue:
    """Choose the language of the pages."""
    response = redirect(local_path(request.form.get("next")), 303)
    chosen = request.form.get("language")
    if chosen in LANGUAGES:
        accounts.set_language(context().main, name=person().name, language=chosen)
        return _remember_language(response, chosen)
    return response


def _refuse_difference(new: str, again: str) -> None:
    if new != again:
        raise AccessError(
            Text("新しいパスワードが2つで違っています。", "The two new passwords differ."),
            Text("同じものを2回入力してください。", "Enter the same one twice."),
        )


def visitor() -> Visitor:
    """Return where the present request comes from."""
    return Visitor(address=request.remote_addr or "", browser=request.user_agent.string)


def _log_in(name: str, password: str) -> tuple[Person, str]:
    with Hashing():
        return accounts.log_in(
            context().main, name=name, password=password, now=context().clock.now(), visitor=visitor()
        )


class Hashing:
    """A turn at hashing a password; raises `AccessError` when too many are tried at once."""

    def __enter__(self) -> None:
        if not HASHING.acquire(timeout=HASHING_WAIT_S):
            raise AccessError(
                Text("ログインが混み合っています。", "Too many people are logging in."),
                Text("少し待ってからやり直してください。", "Wait a moment and try again."),
            )

    def __exit__(self, *_: object) -> None:
        HASHING.release()


def _with_cookie(response: Response, token: str, role: Role) -> Response:
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=round(sessions.longest(role).total_seconds()),
        secure=True,
        httponly=True,
        samesite="Strict",
    )
    return response


def _remember_language(response: Response, chosen: str) -> Response:
    response.set_cookie(LANGUAGE_COOKIE, chosen, max_age=YEAR_S, secure=True, httponly=True, samesite="Strict")
    return response
