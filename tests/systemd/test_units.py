"""The units as systemd itself reads and rates them, and the folders they need.

`systemd-analyze verify` complains of programs that are not there, and those of a box are not on the machine of a
test. Units are therefore verified as copies whose ``/opt/mamori`` is a temporary folder with empty programs.
`systemd-analyze security --offline=true` reads the units as they are.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.allocator import ALLOCATOR, preloading
from edge_agent.store import audit
from edge_agent.store.database import open_live, open_main, writing

UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = (
    "edge-agent.service",
    "edge-buttons.service",
    "edge-web.service",
    "edge-housekeeping.service",
    "edge-mirror@.service",
)
ALL = (*SERVICES, "edge-housekeeping.timer", "edge-mirror@.socket")
MOST = 30
"""Highest exposure allowed, in tenths, as --threshold takes it."""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders to other users")


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SYSTEMD_COLORS": "0", "SYSTEMD_EMOJI": "0", "SYSTEMD_PAGER": ""}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def _installed(folder: Path) -> Path:
    """Put copies of all units into `folder`, with programs that exist; return where they are."""
    programs = folder / "opt/mamori/current/bin"
    programs.mkdir(parents=True)
    for name in ("mamori", "mamori-buttons", "mamori-web", "python"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    units = folder / "units"
    units.mkdir()
    for name in ALL:
        text = (UNITS / name).read_text()
        assert "/opt/mamori/current/bin/" in text or name.endswith((".timer", ".socket"))
        (units / name).write_text(text.replace("/opt/mamori", str(folder / "opt/mamori")))
    return units


def _keys(unit: str) -> dict[str, str]:
    lines = (UNITS / unit).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Za-z]+=", line))


def test_no_unit_is_left_untested() -> None:
    assert sorted(ALL) == sorted(file.name for file in UNITS.glob("*.*") if file.is_file())


def test_systemd_finds_nothing_to_complain_of(tmp_path: Path) -> None:
    units = _installed(tmp_path)
    done = _run("systemd-analyze", "verify", "--man=no", *(str(units / name) for name in ALL))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_systemd_finds_nothing_to_complain_of_in_the_broker_as_we_run_it(tmp_path: Path) -> None:
    shutil.copy("/usr/lib/systemd/system/mosquitto.service", tmp_path)
    shutil.copytree(UNITS / "mosquitto.service.d", tmp_path / "mosquitto.service.d")
    done = _run("systemd-analyze", "verify", "--man=no", str(tmp_path / "mosquitto.service"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_misspelt_key_would_be_noticed(tmp_path: Path) -> None:
    unit = _installed(tmp_path) / "edge-agent.service"
    unit.write_text(unit.read_text().replace("WatchdogSec=", "WatchdgSec="))
    assert "WatchdgSec" in _run("systemd-analyze", "verify", "--man=no", str(unit)).stderr


@pytest.mark.parametrize("unit", SERVICES)
def test_every_service_is_locked_in(unit: str) -> None:
    done = _run("systemd-analyze", "security", "--offline=true", f"--threshold={MOST}", str(UNITS / unit))
    rating = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert rating is not None, done.stderr
    assert float(rating[1]) <= MOST / 10
    assert done.returncode == 0, done.stdout


def test_the_agent_is_watched_and_always_started_again() -> None:
    agent = _keys("edge-agent.service")
    assert agent["Type"] == "notify"
    assert int(agent["WatchdogSec"]) > 0
    assert agent["Restart"] == "always"
    assert agent["StartLimitIntervalSec"] == "0"


def test_the_agent_gets_its_memory_from_the_allocator_that_is_installed_with_it() -> None:
    assert _keys("edge-agent.service")["Environment"] == f"LD_PRELOAD={ALLOCATOR}"
    packages = (UNITS.parent / "firmware_config/install/packages-run.txt").read_text().split()
    assert "libjemalloc2" in packages


def test_the_agent_hears_sound_cards_and_sees_no_other_device() -> None:
    agent = _keys("edge-agent.service")
    assert (agent["DevicePolicy"], agent["DeviceAllow"]) == ("closed", "char-alsa rw")
    assert agent["SupplementaryGroups"] == "audio"
    for unit in set(SERVICES) - {"edge-agent.service", "edge-buttons.service"}:
        assert _keys(unit)["PrivateDevices"] == "yes"


def test_the_buttons_need_neither_agent_nor_broker_and_see_pins_and_keys_alone() -> None:
    text = (UNITS / "edge-buttons.service").read_text()
    buttons = _keys("edge-buttons.service")
    assert not {"Wants", "Requires", "BindsTo", "PartOf"} & buttons.keys()
    assert buttons["After"] == "network.target"
    assert re.findall(r"^DeviceAllow=(.*)$", text, re.MULTILINE) == ["char-input rw", "char-gpiochip rw"]
    assert (buttons["DevicePolicy"], buttons["Restart"], buttons["StartLimitIntervalSec"]) == ("closed", "always", "0")


def test_the_one_privilege_is_held_by_what_opens_the_mirror_alone() -> None:
    assert _keys("edge-mirror@.service")["CapabilityBoundingSet"] == "CAP_NET_RAW"
    for unit in set(SERVICES) - {"edge-mirror@.service"}:
        assert not _keys(unit)["CapabilityBoundingSet"]
    assert (_keys("edge-mirror@.socket")["SocketGroup"], _keys("edge-mirror@.socket")["SocketMode"]) == (
        "mamori",
        "0660",
    )


@pytest.mark.parametrize("unit", SERVICES)
def test_words_of_a_call_reach_the_disk_neither_by_a_core_dump_nor_by_swap(unit: str) -> None:
    keys = _keys(unit)
    assert (keys["LimitCORE"], keys["MemorySwapMax"]) == ("0", "0")


@pytest.mark.parametrize("unit", SERVICES)
def test_no_service_reaches_beyond_the_premises(unit: str) -> None:
    keys = _keys(unit)
    assert keys["IPAddressDeny"] == "any"
    private = {"localhost", "link-local", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}
    assert set(keys.get("IPAddressAllow", "").split()) <= private


@pytest.fixture
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the root folder of a machine with the users and folders of a box, as systemd makes them."""
    root = tmp_path_factory.mktemp("box")
    for part in (root, *root.parents):
        if part.stat().st_mode & 0o077 == 0:
            part.chmod(0o711)  # other users must reach it
    for kind in ("sysusers", "tmpfiles"):
        there = root / f"usr/lib/{kind}.d"
        there.mkdir(parents=True)
        shutil.copy(UNITS / f"{kind}.d/mamori.conf", there)
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text("mosquitto:x:102:109::/var/lib/mosquitto:/usr/sbin/nologin\n")
    (root / "etc/group").write_text("mosquitto:x:109:\n")
    secrets = root / "var/lib/mamori/secrets"
    secrets.mkdir(parents=True)
    for name in ("mqtt-agent", "mqtt-panel-1", "web-session"):
        (secrets / name).touch(0o600)
    keys = root / "var/lib/mamori/pki"
    keys.mkdir()
    (keys / "web.key").touch(0o600)
    for program in ("systemd-sysusers", "systemd-tmpfiles"):
        create = ["--create"] if program.endswith("tmpfiles") else []
        done = _run(program, f"--root={root}", *create, "mamori.conf")
        assert done.returncode == 0, done.stderr
    return root


def _ids(root: Path) -> dict[str, tuple[int, int]]:
    rows = [line.split(":") for line in (root / "etc/passwd").read_text().splitlines()]
    return {row[0]: (int(row[2]), int(row[3])) for row in rows}


def _as_user(ids: tuple[int, int], action: str, root: Path) -> subprocess.CompletedProcess[str]:
    """Run a function of this file in a process that has become another user."""
    user, group = ids
    # Everything is imported first: the other user may not be able to reach this interpreter's own files.
    script = f"""
import os, sys
sys.path[:0] = {[str(Path(__file__).parent), *sys.path]!r}
import test_units
os.setgroups([])
os.setgid({group})
os.setuid({user})
os.umask(0o007)
test_units.{action}({str(root)!r})
"""
    return _run(sys.executable, "-c", script)


def note_in_the_audit_chain(root: str) -> None:
    """Write to both databases, as either process does."""
    main, live = open_main(Path(root) / "var/lib/mamori"), open_live(Path(root) / "run/mamori")
    with writing(main):
        audit.append(main, at=dt.datetime.now(dt.UTC), actor="mamori", action="test", subject=str(os.getuid()))
    with writing(live):
        live.table("words").delete_where()
    # The process ends without closing: -wal and -shm stay behind, as after a kill.
    os._exit(0)


def read_the_others_secret(root: str) -> None:
    """Try to read what only the agent may."""
    (Path(root) / "var/lib/mamori/secrets/mqtt-agent").read_bytes()


def note_a_refusal(root: str) -> None:
    """Write what was refused, as the broker's script does."""
    os.umask(0o027)
    (Path(root) / "run/mamori/broker/refused.log").write_text("refused")


def read_refusals(root: str) -> None:
    """Read what the broker has refused."""
    print((Path(root) / "run/mamori/broker/refused.log").read_text(), end="")  # noqa: T201 - for whoever runs it


@pytest.mark.journey
@needs_root
def test_what_the_broker_refuses_is_read_by_the_agent_and_by_no_stranger(box: Path) -> None:
    ids = _ids(box)
    done = _as_user(ids["mosquitto"], "note_a_refusal", box)
    assert done.returncode == 0, done.stderr
    assert _as_user(ids["mamori-agent"], "read_refusals", box).stdout == "refused"
    assert "PermissionError" in _as_user((65534, 65534), "read_refusals", box).stderr


@pytest.mark.journey
@needs_root
def test_agent_and_pages_write_the_same_databases_as_different_users(box: Path) -> None:
    ids = _ids(box)
    # The agent may be killed and leave its files to the web UI, and the other way round.
    for name in ("mamori-agent", "mamori-web", "mamori-agent"):
        done = _as_user(ids[name], "note_in_the_audit_chain", box)
        assert done.returncode == 0, done.stderr
    db = open_main(box / "var/lib/mamori")
    users = [int(entry.subject) for entry in audit.entries(db)]
    db.close()
    assert users == [ids["mamori-agent"][0], ids["mamori-web"][0], ids["mamori-agent"][0]]


@pytest.mark.journey
@needs_root
def test_only_the_agent_can_read_its_password_for_the_broker(box: Path) -> None:
    ids = _ids(box)
    assert _as_user(ids["mamori-agent"], "read_the_others_secret", box).returncode == 0
    assert "PermissionError" in _as_user(ids["mamori-web"], "read_the_others_secret", box).stderr
    assert "PermissionError" in _as_user(ids["mosquitto"], "read_the_others_secret", box).stderr


def read_the_key_of_the_pages(root: str) -> None:
    """Try to read what only the pages may."""
    (Path(root) / "var/lib/mamori/pki/web.key").read_bytes()


@pytest.mark.journey
@needs_root
def test_only_the_pages_can_read_the_key_of_their_certificate(box: Path) -> None:
    ids = _ids(box)
    assert _as_user(ids["mamori-web"], "read_the_key_of_the_pages", box).returncode == 0
    for other in ("mamori-agent", "mosquitto"):
        assert "PermissionError" in _as_user(ids[other], "read_the_key_of_the_pages", box).stderr


@pytest.mark.journey
@needs_root
def test_no_other_user_can_open_the_databases(box: Path) -> None:
    stranger = _ids(box)["mosquitto"]
    assert "StoreError" in _as_user(stranger, "note_in_the_audit_chain", box).stderr


@pytest.mark.journey
def test_the_engines_run_where_no_memory_is_both_written_and_executed() -> None:
    # PR_SET_MDWE is the kernel's own form of MemoryDenyWriteExecute= (Linux 6.3 and newer); it cannot be taken back.
    script = """
import ctypes, mmap, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):
    sys.exit(77)
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)
except PermissionError:
    pass
else:
    sys.exit("writable and executable memory was granted")
import argon2, flask, onnxruntime, pyaudio, sentencepiece, soundfile, soxr, sqlite_utils, vosk
import numpy as np
from edge_agent.adapters.silero import SileroDetector
assert max(SileroDetector().probabilities(np.zeros((20, 512), np.int16))) < 0.5
assert soxr.resample(np.zeros(800, np.float32), 8000, 16000).shape == (1600,)
argon2.PasswordHasher(time_cost=1).hash("x")
"""
    environment = {**os.environ, **preloading()}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment)
    if done.returncode == 77:
        pytest.skip("this kernel does not know PR_SET_MDWE")
    assert done.returncode == 0, done.stderr
