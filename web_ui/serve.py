"""The server behind the pages: ``mamori-web --settings FILE``."""

from __future__ import annotations

import errno
import os
import resource
import secrets
import signal
import socket
import ssl
import sys
import threading
from pathlib import Path

import click
from cheroot import wsgi
from flask import Flask

from edge_agent import log, settings
from edge_agent.errors import MamoriError, PortInUseError, SettingsError, StoreError, Text
from edge_agent.services import listening
from edge_agent.services.policy_pack import load_policy
from edge_agent.settings import Settings
from web_ui.app import create_app
from web_ui.context import EXTENSION, Context
from web_ui.hosts import own_names
from web_ui.redirect import Redirect
from web_ui.streams import LISTENERS, STREAMS
from web_ui.wire import MAX_HEADER_BYTES, Adapter, Connection

THREADS = STREAMS + LISTENERS + 16
"""One for every stream and some for everything else, so that buttons always find a free one."""
QUEUE = 256
"""Connections the kernel holds: after a restart every page comes back within a second."""
FILES = 4096
"""Files and connections this process may hold open: two databases a thread, and browsers that come all at once."""
REDIRECT_THREADS = 2
"""A browser remembers a permanent redirect and does not ask again."""
REDIRECT_BYTES = 8 * 1024
STOP_S = 1
"""Seconds requests may take to end when the server stops."""
KEY_BYTES = 32

_log = log.Log("web")


class Server(wsgi.Server):
    """Cheroot without tracebacks: they may quote words of a call."""

    ConnectionClass = Connection
    max_request_header_size = MAX_HEADER_BYTES
    refused: OSError | None = None
    """Why the last address could not be bound; Cheroot itself keeps only its words."""

    # Cheroot calls it on the instance, although its own is static.
    def bind_socket(  # type: ignore[override]
        self, socket_: socket.socket, bind_addr: tuple[str, int]
    ) -> socket.socket:
        """Bind, and close what could not be bound."""
        try:
            socket_.bind(bind_addr)
        except OSError as error:
            socket_.close()
            self.refused = error
            raise
        return socket_

    def process_conn(self, conn: Connection) -> None:
        """Give a connection to a thread once something has come: those that say nothing must not use them up."""
        if conn.heard:
            super().process_conn(conn)
        else:
            conn.heard = True
            self._connections.put(conn)  # type: ignore[attr-defined] # Cheroot's types leave it out

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Log that something failed, not what was being said."""
        error = sys.exc_info()[0]
        # Browsers come and go in the middle of a stream; that is no failure.
        if error is None or not issubclass(error, (ConnectionError, TimeoutError, ssl.SSLError)):
            _log.warning("server.trouble", error=error.__name__ if error else "none")


@click.command()
@click.option(
    "--settings",
    "file",
    type=click.Path(path_type=Path),
    default=Path("/etc/mamori/mamori.toml"),
    show_default=True,
    help="設定ファイル / settings file",
)
def main(file: Path) -> None:
    """Mamori の画面を表示するサーバー / serve the pages of Mamori."""
    log.set_up()
    try:
        sys.exit(serve(settings.load(file)))
    except MamoriError as error:
        click.echo(f"{error.what.ja}{error.remedy.ja}\n{error.what.en} {error.remedy.en}", err=True)
        sys.exit(error.exit_code)


def serve(box: Settings) -> int:
    """Serve until told to stop; return the exit code. Raises `MamoriError` if it cannot start."""
    _allow_files()
    app = create_app(box, load_policy(box.policy_file), secret_key=_secret_key(box.data / "secrets" / "web-session"))
    behind: Context = app.extensions[EXTENSION]
    # Both databases are used before anybody is served, so that one that cannot be stops the start.
    listening.end_left_over(behind.main, behind.live, now=behind.clock.now())
    server = make_server(app, box)
    redirect = make_redirect(box)
    stop = threading.Event()
    crashed = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def give_up() -> None:
        crashed.set()
        stop.set()

    behind.feed.start(give_up)
    accepting = threading.Thread(target=server.serve, name="accept", daemon=True)
    accepting.start()
    if redirect is not None:
        threading.Thread(target=redirect.serve, name="redirect", daemon=True).start()
    _log.info("web.ready", host=box.web.host, port=box.web.port, pid=os.getpid())
    stop.wait()
    behind.feed.close()
    server.stop()
    if redirect is not None:
        redirect.stop()
    behind.close()
    _log.info("web.stopped", exit=int(crashed.is_set()))
    return int(crashed.is_set())


def make_server(app: Flask, box: Settings) -> Server:
    """Return a server bound to its port; raise `PortInUseError` or `SettingsError` if that fails."""
    server = Server(
        (box.web.host, box.web.port),
        app,
        numthreads=THREADS,
        request_queue_size=QUEUE,
        shutdown_timeout=STOP_S,
        server_name=box.web.host,
    )
    server.max_request_body_size = app.config["MAX_CONTENT_LENGTH"]
    # The software's name and version are nobody's business.
    server.software = "Mamori"
    server.ssl_adapter = _tls(box)
    try:
        server.prepare()
    except OSError as error:
        raise _no_port(box, box.web.port, "web.port", server.refused or error) from error
    return server


def make_redirect(box: Settings) -> wsgi.Server | None:
    """Return a server that leads plain HTTP to the pages, bound to its port; None if the settings want none."""
    if not box.web.redirect_port:
        return None
    server = Server(
        (box.web.host, box.web.redirect_port),
        Redirect(own=own_names(box), port=box.web.port),
        numthreads=REDIRECT_THREADS,
        shutdown_timeout=STOP_S,
        server_name=box.web.host,
    )
    server.max_request_body_size = REDIRECT_BYTES
    server.software = "Mamori"
    try:
        server.prepare()
    except OSError as error:
        raise _no_port(box, box.web.redirect_port, "web.redirect_port", server.refused or error) from error
    return server


def _allow_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _tls(box: Settings) -> Adapter:
    try:
        adapter = Adapter(str(box.web_certificate), str(box.web_key))
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            Text(
                f"画面の証明書「{box.web_certificate}」または鍵を使えません。",
                f"The pages' certificate {str(box.web_certificate)!r} or its key cannot be used.",
            ),
            Text(
                "「mamori provision」で作れます。自分の証明書なら、場所、読み取り権限、鍵との組を確認してください。",
                "“mamori provision” makes one. With your own: check its place, who may read it, and that the key fits.",
            ),
        ) from error
    adapter.context.minimum_version = ssl.TLSVersion.TLSv1_2
    return adapter


def _no_port(box: Settings, port: int, setting: str, error: OSError) -> MamoriError:
    where = f"{box.web.host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return PortInUseError(
            Text(f"{where} はほかのプログラムが使っています。", f"Another program already uses {where}."),
            Text(
                f"そのプログラム（動いたままの Mamori かもしれません）を止めるか、設定の {setting} を変えてください。",
                f"Stop it (perhaps a Mamori that is still running) or change {setting} in the settings.",
            ),
        )
    reason = error.strerror or str(error)
    return SettingsError(
        Text(f"{where} で待ち受けできません（{reason}）。", f"Cannot listen on {where} ({reason})."),
        Text(f"設定の web.host と {setting} を確認してください。", f"Check web.host and {setting} in the settings."),
    )


def _secret_key(file: Path) -> bytes:
    """Return the key that signs form tokens, made at the first start and readable by this user alone."""
    try:
        if file.is_file() and len(key := file.read_bytes()) >= KEY_BYTES:
            return key
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = secrets.token_bytes(KEY_BYTES)
        fresh = file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(key)
        fresh.replace(file)
    except OSError as error:
        raise StoreError(
            Text(f"{file} を使えません（{error.strerror}）。", f"{file} cannot be used ({error.strerror})."),
            Text("フォルダーの所有者と空き容量を確認してください。", "Check the folder's owner and free space."),
        ) from error
    return key


if __name__ == "__main__":
    main()
