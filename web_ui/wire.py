"""How bytes from the line become requests: bounded, and malformed ones refused as such."""

from __future__ import annotations

from typing import Any

from cheroot.server import HeaderReader, HTTPConnection, HTTPRequest

MAX_HEADER_BYTES = 32 * 1024
"""Address and headers of one request; browsers of the floor send two or three kilobytes."""


class Headers(HeaderReader):
    """Cheroot's reader; a header with an underscore could pass for another one and is dropped."""

    def __call__(self, rfile: Any, hdict: dict[bytes, bytes] | None = None) -> Any:  # noqa: ANN401
        """Read the headers; raise `ValueError` for what is none."""
        try:
            return super().__call__(rfile, hdict)
        except UnboundLocalError as error:
            # Cheroot looks for the header that a first line beginning with a space would continue.
            raise ValueError("Illegal continuation line.") from error

    def _allow_header(self, key_name: bytes) -> bool:
        return b"_" not in key_name


class Request(HTTPRequest):
    """A request with our reader of headers."""

    header_reader = Headers()


class Connection(HTTPConnection):
    """A connection of such requests."""

    RequestHandlerClass = Request
