"""Threads of the agent: one that dies takes the process with it, so that it is started again whole.

A line without its thread would look idle while nobody listens.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from edge_agent.log import Log

EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h: an internal error; the service manager restarts the agent."""

_log = Log("supervisor")


class Supervisor:
    """Starts threads and ends the process when one of them ends unasked.

    Args:
        exit_process: called with the exit code; must end the process whatever its other threads do.
    """

    def __init__(self, *, exit_process: Callable[[int], object] = os._exit) -> None:
        self._exit_process = exit_process
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, name: str, work: Callable[[threading.Event], None]) -> None:
        """Run `work` in a thread; it is to return soon after the event it is given has been set, never before."""
        thread = threading.Thread(target=self._watched, args=(name, work), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self, *, timeout_s: float = 10.0) -> tuple[str, ...]:
        """Ask all threads to end, the last started first; return the names of those that did not in time."""
        self._stop.set()
        for thread in reversed(self._threads):
            thread.join(timeout_s)
        late = tuple(thread.name for thread in self._threads if thread.is_alive())
        for name in late:
            _log.warning("thread_late", thread=name)
        return late

    def _watched(self, name: str, work: Callable[[threading.Event], None]) -> None:
        try:
            work(self._stop)
        except BaseException as error:  # noqa: BLE001 - whatever it was, the thread is gone
            # The type alone: a message may hold words of a call.
            _log.error("thread_died", thread=name, error=type(error).__name__)
            self._exit_process(EXIT_CODE)
            return
        if not self._stop.is_set():
            _log.error("thread_ended", thread=name)
            self._exit_process(EXIT_CODE)
