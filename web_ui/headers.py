"""What every answer carries, and one log line for each: which page, never which words."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from flask import Flask, g, request
from werkzeug.wrappers import Response

from edge_agent.log import Log
from web_ui.hosts import is_address

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self';"
        " media-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # flask-wtf checks the referrer over TLS, so it must reach ourselves.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}

YEAR_S = 365 * 24 * 3600

log = Log("web")


def install(app: Flask) -> None:
    """Set the headers and write the access log."""

    @app.before_request
    def note_start() -> None:
        g.started_s = time.monotonic()

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.update(SECURITY)
        host = urlsplit(f"//{request.host}").hostname or ""
        if host != "localhost" and not is_address(host):
            # Not for localhost: it would hold for every other program of this machine too.
            response.headers["Strict-Transport-Security"] = f"max-age={YEAR_S}"
        # Words of a call must not stay in a browser's cache; scripts are checked again each time.
        response.headers["Cache-Control"] = "no-cache" if request.endpoint == "static" else "no-store"
        _log(response)
        return response


def _log(response: Response) -> None:
    if request.endpoint == "static":
        return
    # The endpoint's name, not the path: a path may hold an id, a query anything at all.
    log.info(
        "request",
        kind=request.method,
        component=request.endpoint or "none",
        state=response.status_code,
        duration_ms=round((time.monotonic() - g.get("started_s", time.monotonic())) * 1000),
    )
