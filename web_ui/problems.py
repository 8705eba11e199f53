"""What went wrong, in plain words with a remedy; never a traceback, on the page or in the log."""

from __future__ import annotations

from flask import Flask, jsonify, render_template
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from edge_agent.errors import (
    AccessError,
    AskError,
    ButtonError,
    DeviceError,
    DutyError,
    LayoutError,
    MamoriError,
    StoreError,
    Text,
    TransitionError,
)
from edge_agent.log import Log
from web_ui import api
from web_ui.access import FORBIDDEN, language, wants_page
from web_ui.streams import STREAMS

BAD_REQUEST = 400
CONFLICT = 409
SERVER_ERROR = 500
UNAVAILABLE = 503

_STATUS: dict[type[MamoriError], int] = {
    AccessError: FORBIDDEN,
    ButtonError: CONFLICT,
    DeviceError: CONFLICT,
    DutyError: CONFLICT,
    LayoutError: CONFLICT,
    TransitionError: CONFLICT,
    StoreError: UNAVAILABLE,
}

_OLD_PAGE = (
    Text("画面の有効期限が切れています。", "This page is out of date."),
    Text("画面を読み込み直してから、もう一度操作してください。", "Reload the page and try again."),
)
_PLAIN: dict[int, tuple[Text, Text]] = {
    400: (
        Text("リクエストを受け付けられません。", "The request cannot be accepted."),
        Text(
            "アドレスを確かめて、フロア画面から開き直してください。",
            "Check the address and start again from the floor page.",
        ),
    ),
    403: (
        Text("この操作をする権限がありません。", "You may not do this."),
        Text("管理者に権限を頼んでください。", "Ask an administrator for the right."),
    ),
    404: (
        Text("ページが見つかりません。", "There is no such page."),
        Text("一覧から選び直してください。", "Choose it from the list again."),
    ),
    405: (
        Text("この操作はここではできません。", "That cannot be done here."),
        Text("フロア画面からやり直してください。", "Start again from the floor page."),
    ),
    413: (
        Text("送られた内容が大きすぎます。", "What was sent is too large."),
        Text("短くしてもう一度送ってください。", "Make it shorter and send it again."),
    ),
    500: (
        Text("画面の処理で問題が起きました。", "Something went wrong with this page."),
        Text(
            "読み込み直してください。続く場合は管理者に edge-web のログの確認を頼んでください。",
            "Reload it. If it goes on, ask an administrator to read the log of edge-web.",
        ),
    ),
    503: (
        Text(f"接続している画面が多すぎます（最大{STREAMS}）。", f"Too many pages are connected ({STREAMS} at most)."),
        Text(
            "使っていない画面を閉じてください。自動でつなぎ直します。",
            "Close pages not in use. It reconnects by itself.",
        ),
    ),
}

log = Log("web")


def install(app: Flask) -> None:
    """Answer every error in plain words."""

    @app.errorhandler(AskError)
    def unasked(error: AskError) -> ResponseReturnValue:
        return api.refused(error)

    @app.errorhandler(MamoriError)
    def known(error: MamoriError) -> ResponseReturnValue:
        status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), SERVER_ERROR)
        if status >= SERVER_ERROR:
            log.error("request.failed", error=type(error).__name__)
        return answer(status, error.what, error.remedy)

    @app.errorhandler(CSRFError)
    def old_page(_error: CSRFError) -> ResponseReturnValue:
        return answer(BAD_REQUEST, *_OLD_PAGE)

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> ResponseReturnValue:
        status = error.code or SERVER_ERROR
        if status < BAD_REQUEST:
            return error.get_response()
        what, remedy = _PLAIN.get(status, _PLAIN[BAD_REQUEST if status < SERVER_ERROR else SERVER_ERROR])
        return answer(status, what, remedy)

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> ResponseReturnValue:
        # Its message and traceback may quote words of a call: only the type is logged.
        log.error("request.crashed", error=type(error).__name__)
        return answer(SERVER_ERROR, *_PLAIN[SERVER_ERROR])


def answer(status: int, what: Text, remedy: Text) -> ResponseReturnValue:
    """Return an error page, or JSON for a script."""
    if api.asked():
        return api.failed(status, what, remedy)
    speaks = language()
    words = {"what": what.in_language(speaks), "remedy": remedy.in_language(speaks)}
    if wants_page():
        return render_template("problem.html", status=status, **words), status
    return jsonify(words), status
