"""The telephone system, or the operator's own screen, says when calls start and end: by token, in JSON."""

from __future__ import annotations

from flask import Blueprint, abort, g, jsonify, request
from flask.typing import ResponseReturnValue

from edge_agent.errors import AskError, Text
from edge_agent.services import asks, integrations
from web_ui.api import BLUEPRINT, PREFIX
from web_ui.context import context

blueprint = Blueprint(BLUEPRINT, __name__, url_prefix=f"{PREFIX}v1")

CALL = frozenset({"event", "caller", "at"})
PAUSE = frozenset({"event"})
UNSUPPORTED = 415
KEPT = 202
"""It is written, but nobody listens at the moment."""
NOBODY_LISTENS = Text(
    "記録しましたが、エージェントが動いていません。起動すると有効になります。",
    "It is kept, but the agent is not running. It takes effect when the agent starts.",
)


@blueprint.before_request
def require_token() -> None:
    """Let nobody in without a token; a cookie is not looked at, so no other site can ask in somebody's name."""
    request.max_content_length = asks.LONGEST
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AskError(
            integrations.NO_TOKEN,
            Text("トークンがありません。", "There is no token."),
            Text("「Authorization: Bearer トークン」を付けてください。", "Send “Authorization: Bearer TOKEN”."),
        )
    behind = context()
    g.integration = integrations.who(
        behind.main, token.strip(), address=request.remote_addr or "", now=behind.clock.now()
    )


@blueprint.get("/seats/<seat>")
def state(seat: str) -> ResponseReturnValue:
    """Say how a seat stands."""
    asks.refuse_seat(g.integration, seat, context().settings)
    return _state(seat)


@blueprint.post("/seats/<seat>/call")
def call(seat: str) -> ResponseReturnValue:
    """A call of a seat has started or ended.

    The answer is given when that is written; the line heeds it a moment later.
    """
    behind = context()
    asks.refuse_seat(g.integration, seat, behind.settings)
    told = asks.read_call(asks.read_object(_body(), known=CALL), key=asks.read_key(behind.settings.caller_key("web")))
    asks.announce(behind.main, told, seat=seat, by=g.integration.name, now=behind.clock.now())
    return _state(seat, changed=True)


@blueprint.post("/seats/<seat>/pause")
def pause(seat: str) -> ResponseReturnValue:
    """Begin or end a pause of a seat; asking again changes nothing."""
    behind = context()
    asks.refuse_seat(g.integration, seat, behind.settings)
    event = asks.read_event(asks.read_object(_body(), known=PAUSE))
    asks.pause(
        behind.main,
        behind.live,
        event,
        seat=seat,
        by=g.integration.name,
        settings=behind.settings,
        now=behind.clock.now(),
    )
    return _state(seat, changed=True)


def _body() -> bytes:
    if not request.is_json:
        abort(UNSUPPORTED)
    return request.get_data(cache=False)


def _state(seat: str, *, changed: bool = False) -> ResponseReturnValue:
    behind = context()
    shown = asks.state(behind.main, behind.live, seat=seat, settings=behind.settings, now=behind.clock.now())
    if changed and not shown["listening"]:
        return jsonify(shown | {"note": {"ja": NOBODY_LISTENS.ja, "en": NOBODY_LISTENS.en}}), KEPT
    return jsonify(shown)
