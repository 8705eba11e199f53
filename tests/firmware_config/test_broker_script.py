"""What runs the broker: its log without every packet, and a file of what was refused that does not grow for ever."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "firmware_config/mosquitto/broker.sh"
MOST = 5000
"""Lines of the file before it begins anew, as the script says."""
REFUSED = "1795899669: Client <unknown> disconnected, not authorised."
DENIED = "1795899669: Denied PUBLISH from panel-1 (d0, q1, r0, m1, 'a/b', ... (2 bytes))"
SUBSCRIBED = "1795899669: desk-1 1 mamori/v1/tokyo/f1/box1/words/+"
OTHER = "1795899669: mosquitto version 2.0.11 running"
PACKET = "1795899669: Sending PINGRESP to panel-1"


@pytest.fixture
def broker(tmp_path: Path) -> Path:
    """A program that writes the file it is given as its configuration to its log, as a broker writes its own."""
    program = tmp_path / "broker"
    program.write_text('#!/bin/sh\ncat "$2" >&2\n')
    program.chmod(0o755)
    return program


def log(broker: Path, lines: list[str], *arguments: str) -> list[str]:
    """Have a broker log these lines; return what comes out."""
    said = broker.with_name("said")
    said.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    # A pipe of its own: the script's last part writes on after the broker has ended, and closes it then.
    done = subprocess.run(["bash", str(SCRIPT), str(broker), str(said), *arguments], stderr=subprocess.PIPE, check=True)
    return done.stderr.decode().splitlines()


def test_the_log_has_everything_but_the_packets_and_the_file_what_may_be_a_refusal(broker: Path) -> None:
    refused = broker.with_name("refused.log")
    told = log(broker, [OTHER, PACKET, REFUSED, DENIED, SUBSCRIBED], str(refused))
    assert told == [OTHER, REFUSED, DENIED, SUBSCRIBED]
    assert refused.read_text().splitlines() == [REFUSED, DENIED, SUBSCRIBED]


def test_the_file_begins_anew_before_it_grows_large_also_over_a_restart(broker: Path) -> None:
    refused = broker.with_name("refused.log")
    refused.write_text(f"{REFUSED}\n" * MOST)
    assert log(broker, [DENIED] * 3, str(refused)) == [DENIED] * 3
    assert refused.read_text().splitlines() == [DENIED] * 3


@pytest.mark.parametrize("arguments", [(), ("/nowhere/refused.log",)])
def test_a_file_that_cannot_be_written_keeps_nobody_from_the_log(broker: Path, arguments: tuple[str, ...]) -> None:
    assert log(broker, [REFUSED, OTHER], *arguments) == [REFUSED, OTHER]
