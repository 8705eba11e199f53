"""A thread that dies takes the process with it."""

from __future__ import annotations

import logging
import queue
import subprocess
import sys
import threading

import pytest

from edge_agent.pipeline.supervisor import EXIT_CODE, Supervisor


def refuse(_stop: threading.Event) -> None:
    msg = "殺すぞ"
    raise ValueError(msg)


def test_a_thread_that_raises_ends_the_process_and_quotes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    codes: queue.Queue[int] = queue.Queue()
    with caplog.at_level(logging.INFO):
        Supervisor(exit_process=codes.put).start("line-01", refuse)
        assert codes.get(timeout=5) == EXIT_CODE
    assert caplog.messages == ["thread_died error=ValueError thread=line-01"]


def test_a_thread_that_returns_unasked_ends_the_process() -> None:
    codes: queue.Queue[int] = queue.Queue()
    Supervisor(exit_process=codes.put).start("line-01", lambda _stop: None)
    assert codes.get(timeout=5) == EXIT_CODE


def test_threads_end_when_they_are_asked_to() -> None:
    codes: queue.Queue[int] = queue.Queue()
    supervisor = Supervisor(exit_process=codes.put)
    supervisor.start("line-01", lambda stop: stop.wait() and None)
    supervisor.start("line-02", lambda stop: stop.wait() and None)
    assert supervisor.stop(timeout_s=5) == ()
    assert codes.empty()


def test_a_thread_that_does_not_end_in_time_is_named() -> None:
    release = threading.Event()
    supervisor = Supervisor(exit_process=lambda _code: None)
    supervisor.start("stuck", lambda _stop: release.wait() and None)
    assert supervisor.stop(timeout_s=0.01) == ("stuck",)
    release.set()


def test_the_whole_process_ends_with_status_70() -> None:
    program = (
        "import threading\n"
        "from edge_agent.pipeline.supervisor import Supervisor\n"
        "Supervisor().start('line-01', lambda stop: 1 / 0)\n"
        "threading.Event().wait(20)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=20)
    assert done.returncode == EXIT_CODE
