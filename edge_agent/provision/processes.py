"""Broker, agent and web as supervised children of one command: started in order, restarted, stopped together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from edge_agent.errors import PortInUseError, ProvisionError, Text

BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Waits before a child that died is started again; the last one repeats."""
STEADY_S = 30.0
"""A child that ran this long starts again from the shortest wait."""
GOODBYE_S = 8.0
"""How long a child may take to stop before it is killed."""
GIVE_UP = 6
"""Deaths in a row, none of them steady, after which starting again is pointless."""
CONFIGURATION_EXITS = frozenset({1, 2})
"""Exit codes by which our own programs say that starting again will not help."""


@dataclass(slots=True, kw_only=True)
class Child:
    """One program, and when it counts as up."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] = lambda: True
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    start_after: float = 0.0

    def start(self) -> None:
        """Start it; it gets a TERM should this process die, and does not see the terminal's Ctrl-C."""
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *self.command],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.started_at = time.monotonic()

    def running(self) -> bool:
        """Return whether it is there."""
        return self.process is not None and self.process.poll() is None


class Children:
    """All children, in the order they are started; stopped in the opposite order."""

    def __init__(self, children: Sequence[Child], *, say: Callable[[Text], None]) -> None:
        self._children = children
        self._say = say
        self._stopping = False

    def request_stop(self, *_signal: object) -> None:
        """Stop at the next look; safe in a signal handler."""
        self._stopping = True

    def run(self, *, started: Callable[[], None]) -> None:
        """Start all, call `started` when each is ready, look after them until told to stop.

        Raises:
            ProvisionError: if a child cannot be got up, or dies again and again.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.request_stop)
        try:
            for child in self._children:
                child.start()
                self._wait_ready(child)
                if self._stopping:
                    return
            started()
            while not self._stopping:
                time.sleep(0.1)
                for child in self._children:
                    self._look_after(child)
        finally:
            self._stop()

    def _wait_ready(self, child: Child, *, within_s: float = 60.0) -> None:
        deadline = time.monotonic() + within_s
        while not self._stopping and not child.ready():
            if not child.running():
                code = child.process.returncode if child.process else 0
                raise ProvisionError(
                    Text(
                        f"{child.name} が起動できません（終了コード {code}）。",
                        f"{child.name} does not start (exit code {code}).",
                    ),
                    Text("すぐ上に出ている理由を直してください。", "Mend the reason printed just above."),
                )
            if time.monotonic() > deadline:
                raise ProvisionError(
                    Text(f"{child.name} が {within_s:.0f} 秒以内に応答しません。", f"{child.name} does not answer."),
                    Text("もう一度起動してください。続く場合は var/ のログを確認してください。", "Start again."),
                )
            time.sleep(0.02)

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.running():
            if now - child.started_at > STEADY_S:
                child.deaths = 0
            return
        if child.start_after == 0.0:
            code = child.process.returncode if child.process else 0
            child.deaths += 1
            if child.deaths >= GIVE_UP or (code in CONFIGURATION_EXITS and child.deaths > 1):
                raise ProvisionError(
                    Text(
                        f"{child.name} が繰り返し停止します（終了コード {code}）。",
                        f"{child.name} keeps dying ({code}).",
                    ),
                    Text("上に出ている理由を直してください。", "Mend the reason printed above."),
                )
            wait = BACKOFF_S[min(child.deaths, len(BACKOFF_S)) - 1]
            self._say(
                Text(
                    f"{child.name} が停止しました（終了コード {code}）。{wait:.1f} 秒後に再起動します。",
                    f"{child.name} has stopped (exit code {code}); starting it again in {wait:.1f} s.",
                )
            )
            child.start_after = now + wait
        elif now >= child.start_after:
            child.start_after = 0.0
            child.start()

    def _stop(self) -> None:
        for child in reversed(self._children):
            process = child.process
            if process is None or process.poll() is not None:
                continue
            process.terminate()
            try:
                process.wait(GOODBYE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def refuse_taken_port(host: str, port: int, *, what: Text, setting: str) -> None:
    """Raise `PortInUseError` if another program listens there already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUseError(
                Text(
                    f"{what.ja}のポート {host}:{port} を使えません（{error.strerror}）。",
                    f"Port {host}:{port} for {what.en} cannot be used ({error.strerror}).",
                ),
                Text(
                    f"別のプログラム（すでに動いている Mamori など）を止めるか、設定の {setting} を変えてください。",
                    f"Stop the other program (a Mamori that already runs, perhaps) or change {setting}.",
                ),
            ) from error


def listening(host: str, port: int) -> bool:
    """Return whether something accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=0.5):
            return True
    except OSError:
        return False


def this_python(*arguments: str) -> list[str]:
    """Return a command that runs one of our modules with the same Python."""
    return [sys.executable, "-m", *arguments]
