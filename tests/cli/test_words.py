"""How far a long command is: seen by who sits at the terminal, and in no file it is sent to."""

from __future__ import annotations

import os
import sys

import pytest

from edge_agent.cli.words import counted


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, items: list[str]) -> tuple[list[str], str]:
    """Return what comes of counted items, and what a terminal on standard error was sent."""
    screen, line = os.openpty()
    try:
        with os.fdopen(line, "w", encoding="utf-8") as terminal:
            with monkeypatch.context() as patched:
                patched.setattr(sys, "stderr", terminal)
                done = list(counted(items))
            # Told apart from nothing: a terminal that was sent nothing would be waited for without end.
            terminal.write("$")
            terminal.flush()
            sent = ""
            while not sent.endswith("$"):
                sent += os.read(screen, 4096).decode()
    finally:
        os.close(screen)
    return done, sent.removesuffix("$")


def test_a_terminal_shows_how_many_are_done_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    done, sent = at_a_terminal(monkeypatch, ["a", "b"])
    assert done == ["a", "b"]
    assert sent == "\r  0%      0/2\r 50%      1/2\r100%      2/2\r\n"


def test_many_are_shown_by_the_per_cent_not_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    _, sent = at_a_terminal(monkeypatch, ["a"] * 20_000)
    assert sent.count("\r") == 102, "0 to 100 %, and the end of the line"


def test_nothing_to_do_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert at_a_terminal(monkeypatch, []) == ([], "")


def test_what_is_no_terminal_is_sent_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(counted(["a", "b"])) == ["a", "b"]
    assert capsys.readouterr() == ("", "")
