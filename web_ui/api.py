"""What is asked by programs, with a token and without a cookie, is answered in JSON whatever becomes of it."""

from __future__ import annotations

from collections.abc import Mapping

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from edge_agent.errors import AskError, Text
from edge_agent.services import asks, integrations

PREFIX = "/api/"
BLUEPRINT = "integration"
BAD_REQUEST = 400
TOO_LARGE = 413
_STATUS = {
    integrations.NO_TOKEN: 401,
    integrations.WRONG_TOKEN: 401,
    integrations.LOCKED: 429,
    asks.UNKNOWN_SEAT: 404,
    asks.NOT_YOUR_SEAT: 403,
    asks.MALFORMED: BAD_REQUEST,
}
CONFLICT = 409
RETRY_S = 900
"""As long as a lock of an address lasts (`services/lockout.py`)."""
_PLAIN: Mapping[int, tuple[str, Text, Text]] = {
    400: (
        asks.MALFORMED,
        Text("リクエストを受け付けられません。", "The request cannot be accepted."),
        asks.AS_DESCRIBED,
    ),
    404: ("unknown_path", Text("そのアドレスはありません。", "There is no such address."), asks.AS_DESCRIBED),
    405: ("wrong_method", Text("そのメソッドは使えません。", "That method cannot be used here."), asks.AS_DESCRIBED),
    413: (
        "too_large",
        Text("送られた内容が大きすぎます。", "What was sent is too large."),
        Text(f"{asks.LONGEST}バイト以内にしてください。", f"Send {asks.LONGEST} bytes at most."),
    ),
    415: (
        "not_json",
        Text("JSON ではありません。", "It is not said to be JSON."),
        Text("「Content-Type: application/json」を付けてください。", "Send “Content-Type: application/json”."),
    ),
    500: (
        "internal",
        Text("処理で問題が起きました。", "Something went wrong."),
        Text("管理者に edge-web のログの確認を頼んでください。", "Ask an administrator to read the log of edge-web."),
    ),
    503: (
        "unavailable",
        Text("いまは記録できません。", "It cannot be kept at the moment."),
        Text("少し待って送り直してください。", "Wait a moment and send it again."),
    ),
}


def asked() -> bool:
    """Return whether the present request is one of a program's."""
    return request.path.startswith(PREFIX)


def refused(error: AskError) -> ResponseReturnValue:
    """Answer what is refused."""
    status = _STATUS.get(error.code, CONFLICT)
    headers: dict[str, str] = {}
    if status == _STATUS[integrations.WRONG_TOKEN]:
        headers["WWW-Authenticate"] = 'Bearer realm="mamori"'
    if status == _STATUS[integrations.LOCKED]:
        headers["Retry-After"] = str(RETRY_S)
    return jsonify({"error": error.code} | asks.in_words(error)), status, headers


def failed(status: int, what: Text, remedy: Text) -> ResponseReturnValue:
    """Answer what could not be done for another reason; pages' own words for it stand in for what is not known here."""
    error = AskError(*_PLAIN.get(status, ("refused", what, remedy)))
    return jsonify({"error": error.code} | asks.in_words(error)), status
