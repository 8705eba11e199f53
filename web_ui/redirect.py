"""Plain HTTP: the only answer is where the pages are. Nothing is read and nothing is shown without TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from web_ui.hosts import is_own

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class Redirect:
    """A WSGI application that sends browsers to the pages' port; a name that is not ours gets no answer."""

    def __init__(self, *, own: frozenset[str], port: int) -> None:
        self._own = own
        self._port = port

    def __call__(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        host = _host(environ.get("HTTP_HOST", ""))
        if host is None or not is_own(host, self._own):
            return _answer(start, "400 Bad Request")
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            # A form sent in the clear has been read by whoever listens: sending it on would hide that.
            return _answer(start, "405 Method Not Allowed", ("Allow", "GET, HEAD"))
        named = f"[{host}]" if ":" in host else host
        path = quote(environ.get("PATH_INFO", "/") or "/", safe="/", encoding="latin-1").lstrip("/")
        return _answer(start, "301 Moved Permanently", ("Location", f"https://{named}:{self._port}/{path}"))


def _host(header: str) -> str | None:
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None


def _answer(start: StartResponse, status: str, *headers: tuple[str, str]) -> Iterator[bytes]:
    start(
        status,
        [("Content-Length", "0"), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), *headers],
    )
    return iter(())
