"""The agent's allocator: used where it is installed, and by the agent alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from edge_agent.allocator import ALLOCATOR, keep_to_itself, preloading


def test_a_program_gets_its_memory_from_the_allocator() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "print(open('/proc/self/maps').read())"],
        env={**os.environ, **preloading()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ALLOCATOR in done.stdout
    assert done.stderr == ""


def test_where_there_is_no_allocator_a_program_starts_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.util.find_library", lambda _name: None)
    assert preloading() == {}


def test_what_is_preloaded_already_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD", "libm.so.6")
    assert preloading() == {"LD_PRELOAD": f"libm.so.6 {ALLOCATOR}"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({"LD_PRELOAD": ALLOCATOR}, {}),
        ({"LD_PRELOAD": f"libm.so.6:{ALLOCATOR}"}, {"LD_PRELOAD": "libm.so.6"}),
        ({"LD_PRELOAD": "libm.so.6"}, {"LD_PRELOAD": "libm.so.6"}),
    ],
)
def test_what_the_agent_starts_gets_its_memory_as_ever(before: dict[str, str], after: dict[str, str]) -> None:
    environment = dict(before)
    keep_to_itself(environment)
    assert environment == after
