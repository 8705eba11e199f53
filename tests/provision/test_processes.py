"""Children of one command: started in order, started again, given up, and never left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_agent.errors import PortInUseError, ProvisionError, Text
from edge_agent.provision import processes
from edge_agent.provision.processes import Child, Children, listening, refuse_taken_port
from tests.broker_fixture import until
from tests.ports import free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """`Children.run` takes the signals; give them back to pytest."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "BACKOFF_S", (0.01, 0.02))


def shell(name: str, script: str, *, ready: Callable[[], bool] = lambda: True) -> Child:
    return Child(name=name, command=["sh", "-c", script], ready=ready)


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return True
    return state == "Z"


def test_children_start_in_order_each_when_the_one_before_is_ready_and_stop_the_other_way_round(tmp_path: Path) -> None:
    log = tmp_path / "log"
    children: list[Child] = []
    for name in ("broker", "agent", "web"):
        up = tmp_path / name
        script = f"trap 'echo {name} stops >> {log}; exit 0' TERM; echo {name} starts >> {log}; : > {up}; "
        script += "while :; do sleep 0.02; done"
        children.append(shell(name, script, ready=up.exists))
    supervised = Children(children, say=lambda _text: None)
    supervised.run(started=supervised.request_stop)
    assert log.read_text().splitlines() == [
        "broker starts",
        "agent starts",
        "web starts",
        "web stops",
        "agent stops",
        "broker stops",
    ]
    assert not any(child.running() for child in children)


@pytest.mark.usefixtures("quick")
def test_a_child_that_dies_is_started_again_and_people_are_told(tmp_path: Path) -> None:
    lives = tmp_path / "lives"
    child = shell("agent", f"echo x >> {lives}; exit 70")
    told: list[Text] = []

    def say(text: Text) -> None:
        told.append(text)
        if len(told) == 3:
            supervised.request_stop()

    supervised = Children([child], say=say)
    supervised.run(started=lambda: None)
    assert lives.read_text() == "x\nx\nx\n"
    assert {text.en for text in told} == {"agent has stopped (exit code 70); starting it again in 0.0 s."}


@pytest.mark.usefixtures("quick")
def test_a_child_that_dies_again_and_again_is_given_up_and_the_others_are_stopped() -> None:
    steady = Child(name="broker", command=["sleep", "60"])
    dying = shell("agent", "exit 70")
    told: list[Text] = []
    with pytest.raises(ProvisionError, match="agent keeps dying"):
        Children([steady, dying], say=told.append).run(started=lambda: None)
    assert len(told) == processes.GIVE_UP - 1
    assert not steady.running()


@pytest.mark.usefixtures("quick")
def test_a_child_that_says_its_settings_are_wrong_is_given_up_at_the_second_time() -> None:
    told: list[Text] = []
    with pytest.raises(ProvisionError, match=r"keeps dying \(2\)"):
        Children([shell("agent", "exit 2")], say=told.append).run(started=lambda: None)
    assert len(told) == 1


def test_waits_between_starts_grow() -> None:
    assert list(processes.BACKOFF_S) == sorted(processes.BACKOFF_S)
    assert processes.BACKOFF_S[0] < 1 < processes.BACKOFF_S[-1]


def test_a_child_that_never_comes_up_is_an_error_and_the_others_are_stopped() -> None:
    steady = Child(name="broker", command=["sleep", "60"])
    failing = shell("agent", "exit 3", ready=lambda: False)
    with pytest.raises(ProvisionError, match=r"agent does not start \(exit code 3\)"):
        Children([steady, failing], say=lambda _text: None).run(started=lambda: None)
    assert not steady.running()


def test_a_child_that_does_not_listen_to_the_stop_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "GOODBYE_S", 0.1)
    up = tmp_path / "up"
    deaf = shell("agent", f"trap '' TERM; : > {up}; while :; do sleep 0.02; done", ready=up.exists)
    supervised = Children([deaf], say=lambda _text: None)
    supervised.run(started=supervised.request_stop)
    assert deaf.process
    assert deaf.process.returncode == -signal.SIGKILL


def test_a_stop_while_children_are_still_starting_stops_what_is_there() -> None:
    first = Child(name="broker", command=["sleep", "60"])
    supervised = Children([first, Child(name="agent", command=["sleep", "60"])], say=lambda _text: None)

    def stop_now() -> bool:
        supervised.request_stop()
        return True

    first.ready = stop_now
    supervised.run(started=lambda: pytest.fail("it was told to stop"))
    assert not first.running()


def test_no_child_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    program = f"""
from edge_agent.provision.processes import Child, Children
script = "echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 60"
child = Child(name="agent", command=["sh", "-c", script])
Children([child], say=print).run(started=lambda: None)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    until(pid_file.exists)
    pid = int(pid_file.read_text())
    assert not gone(pid)
    parent.kill()
    parent.wait()
    until(lambda: gone(pid))


def test_a_port_that_is_taken_names_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert listening("127.0.0.1", port)
        with pytest.raises(PortInUseError) as refused:
            refuse_taken_port("127.0.0.1", port, what=Text("画面", "the pages"), setting="web.port")
    assert f"127.0.0.1:{port}" in refused.value.what.ja
    assert "web.port" in refused.value.remedy.ja
    assert "web.port" in refused.value.remedy.en


def test_a_free_port_is_fine() -> None:
    port = free_port()
    assert not listening("127.0.0.1", port)
    refuse_taken_port("127.0.0.1", port, what=Text("画面", "the pages"), setting="web.port")


def test_a_child_finds_the_variables_it_was_given(tmp_path: Path) -> None:
    file = tmp_path / "said"
    child = Child(name="agent", command=["sh", "-c", f'echo "$CARD $HOME" > {file}'], environment={"CARD": "tap"})
    child.start()
    assert child.process
    assert child.process.wait(10) == 0
    assert file.read_text() == f"tap {os.environ['HOME']}\n"
    assert time.monotonic() - child.started_at < 60
