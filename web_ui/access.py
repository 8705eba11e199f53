"""Who asks: the session cookie, whether they have the right for it, and which names this box answers to."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from edge_agent.domain.roles import Right, Role, may
from edge_agent.errors import AccessError, Text
from edge_agent.services import sessions
from edge_agent.settings import Settings
from edge_agent.store.people import Person
from web_ui import api
from web_ui.context import context
from web_ui.hosts import is_own, own_names
from web_ui.rights import right_of
from web_ui.sight import Sight, sight_of
from web_ui.texts import LANGUAGES

OPEN = frozenset({"static", "shell.manifest", "shell.worker", "shell.offline", "shell.reach"})
"""Endpoints that are the same for everybody; who asks is not even looked up."""
ANONYMOUS = OPEN | {"session.login", "session.code"}
"""Endpoints that need no session."""
BEFORE_NEW_PASSWORD = frozenset({"static", "session.login", "session.logout", "session.password", "session.language"})
"""Endpoints open to somebody whose password was given by somebody else."""
HOMES = ("floor.page", "seat.page", "incidents.listing", "audit.page", "quality.page", "session.password")
"""Where somebody starts: the first of these that is there and that they may use."""
SESSION_COOKIE = "__Host-mamori"
"""The prefix binds it to this host and to TLS."""
LANGUAGE_COOKIE = "mamori_language"
UNAUTHORIZED = 401
FORBIDDEN = 403


def person() -> Person:
    """Return who asks; only for endpoints that need a session."""
    found: Person = g.person
    return found


def may_do(right: Right | str) -> bool:
    """Return whether whoever asks has a right."""
    return g.get("person") is not None and may(g.person.role, Right(right))


def may_act() -> bool:
    """Return whether whoever asks may move incidents."""
    return may_do(Right.ACT_ON_INCIDENTS)


def sight() -> Sight:
    """Return what of the floor whoever asks sees; only for endpoints that need a session."""
    return sight_of(person(), context().settings)


def by_token(endpoint: str | None) -> bool:
    """Return whether an endpoint is a program's: it asks for a token itself. So is an address below that is none."""
    return endpoint.startswith(f"{api.BLUEPRINT}.") if endpoint is not None else api.asked()


def home() -> str:
    """Return the path of the page on which whoever asks starts; the log-in leads there."""
    if g.get("person") is None:
        return url_for("floor.page")
    if g.person.role is Role.VIEWER:
        return url_for("wall.page")
    for endpoint in HOMES:
        view = current_app.view_functions.get(endpoint)
        right = right_of(view) if view else None
        if right is not None and may_do(right):
            return url_for(endpoint)
    return url_for("session.login")


def language() -> str:
    """Return the language to answer in: the person's, else the browser's choice, else Japanese."""
    if g.get("person") is not None:
        chosen: str = g.person.language
    else:
        chosen = request.cookies.get(LANGUAGE_COOKIE, LANGUAGES[0])
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


def wants_page() -> bool:
    """Return whether the answer is for a person's eyes, not for a script."""
    accept = request.accept_mimetypes
    return accept.best_match(["text/html", "application/json", "text/event-stream"]) == "text/html"


def local_path(wanted: str | None) -> str:
    """Return `wanted` if it leads to a page of this box, else where whoever asks starts."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return home()
    parts = urlsplit(wanted)
    printable = wanted.isprintable() and "\\" not in wanted
    return wanted if printable and not parts.scheme and not parts.netloc else home()


def install(app: Flask, settings: Settings) -> None:
    """Check host and session before every request."""
    own = own_names(settings)

    @app.before_request
    def refuse_strange_host() -> None:
        # A page of somebody else whose name was made to point here must not talk to the box.
        try:
            host = urlsplit(f"//{request.host}").hostname or ""
        except ValueError:
            host = ""
        # Without the header the server would answer in its own name.
        if "HTTP_HOST" not in request.environ or not is_own(host, own):
            abort(400, "host")

    @app.before_request
    def require_session() -> ResponseReturnValue | None:
        g.person = None
        if request.endpoint in OPEN or by_token(request.endpoint):
            return None
        token = request.cookies.get(SESSION_COOKIE)
        if token:
            g.person = sessions.who(context().main, token, now=context().clock.now())
        if g.person is None:
            return None if request.endpoint in ANONYMOUS else _log_in_first()
        if g.person.must_change and request.endpoint not in BEFORE_NEW_PASSWORD:
            return redirect(url_for("session.password"), 303) if wants_page() else Response(status=FORBIDDEN)
        return _require_right(request.endpoint)


def _require_right(endpoint: str | None) -> ResponseReturnValue | None:
    """Refuse an endpoint that needs a right they do not have, or that names none; an unknown path is 404 later."""
    if endpoint is None or endpoint in ANONYMOUS:
        return None
    right = right_of(current_app.view_functions[endpoint])
    if right is not None and may_do(right):
        return None
    if endpoint == "floor.page" and wants_page() and (own := home()) != request.path:
        return redirect(own, 303)
    raise AccessError(
        Text("この画面や操作を使う権限がありません。", "You do not have the right for this."),
        Text(
            "スーパーバイザーに伝えるか、管理者に権限を頼んでください。",
            "Tell a supervisor, or ask an administrator for the right.",
        ),
    )


def _log_in_first() -> ResponseReturnValue:
    if not wants_page():
        return Response(status=UNAUTHORIZED)
    # Nobody asks for the first page by name who only typed the box's: they start where they belong.
    target = request.path if request.method == "GET" and request.endpoint != "floor.page" else None
    return redirect(url_for("session.login", next=target), 303)
