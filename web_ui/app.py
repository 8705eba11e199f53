"""Putting the pages together."""

from __future__ import annotations

from datetime import datetime

import flask
from flask import Flask
from flask_wtf.csrf import CSRFProtect

from edge_agent.domain.policy import Policy
from edge_agent.errors import Text
from edge_agent.ports import Clock
from edge_agent.services.system_clock import SystemClock
from edge_agent.settings import Settings
from web_ui import (
    access,
    account,
    arrange,
    audit,
    buttons,
    devices,
    duty,
    floor,
    headers,
    incidents,
    integration,
    lamps,
    lines,
    listen,
    live,
    pause,
    press,
    problems,
    quality,
    seat,
    second,
    session,
    shell,
    staff,
    wall,
)
from web_ui.context import EXTENSION, Context, context
from web_ui.feed import Feed
from web_ui.texts import LANGUAGES, catalogues
from web_ui.views import marked

MAX_REQUEST_BYTES = 64 * 1024
"""No form of ours is near it."""


def create_app(settings: Settings, policy: Policy, *, secret_key: bytes, clock: Clock | None = None) -> Flask:
    """Return the pages of one box.

    The feed in ``app.extensions["mamori"].feed`` has to be started (`Feed.start`) for the pages to move.
    `secret_key` signs the cookie that holds the CSRF token; 32 random bytes.
    """
    app = Flask("web_ui")
    app.config.update(
        SECRET_KEY=secret_key,
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        SESSION_COOKIE_NAME="__Host-mamori_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=True,
        # A floor page stays open all day: its token lasts as long as its session.
        WTF_CSRF_TIME_LIMIT=None,
    )
    texts = catalogues()
    clock = clock or SystemClock()
    app.extensions[EXTENSION] = Context(
        settings=settings,
        policy=policy,
        feed=Feed(settings=settings, policy=policy, clock=clock),
        texts=texts,
        clock=clock,
    )
    headers.install(app)
    access.install(app, settings)
    forgery = CSRFProtect(app)
    # No cookie lets anybody in there.
    forgery.exempt(integration.blueprint)
    problems.install(app)
    for blueprint in (
        shell.blueprint,
        session.blueprint,
        account.blueprint,
        second.blueprint,
        staff.blueprint,
        floor.blueprint,
        arrange.blueprint,
        wall.blueprint,
        live.blueprint,
        listen.blueprint,
        incidents.blueprint,
        duty.blueprint,
        lamps.blueprint,
        lines.blueprint,
        devices.blueprint,
        quality.blueprint,
        audit.blueprint,
        press.blueprint,
        seat.blueprint,
        pause.blueprint,
        buttons.blueprint,
        integration.blueprint,
    ):
        app.register_blueprint(blueprint)
    _teach_templates(app)
    return app


def _teach_templates(app: Flask) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    @app.template_filter("words")
    def words(text: Text) -> str:
        return text.in_language(access.language())

    app.add_template_filter(marked, "marked")

    @app.template_filter("moment")
    def moment(at: datetime | str) -> str:
        when = datetime.fromisoformat(at) if isinstance(at, str) else at
        return f"{when.astimezone():%Y-%m-%d %H:%M:%S %Z}"

    @app.template_filter("in_call")
    def in_call(seconds: float) -> str:
        return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"

    @app.context_processor
    def on_every_page() -> dict[str, object]:
        speaks = access.language()
        behind = context()
        return {
            "t": behind.texts[speaks],
            "language": speaks,
            "languages": LANGUAGES,
            "person": flask.g.get("person"),
            "may_act": access.may_act(),
            "may_do": access.may_do,
            "home": access.home(),
            "box": behind.settings.box,
            "lamps": bool(behind.settings.lamps),
            "buttons": bool(behind.settings.buttons),
        }
