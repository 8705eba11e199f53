"""The floor's broker: its configuration, and one identity with its own rights for every device."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from edge_agent.domain.device import DeviceKind
from edge_agent.errors import ProvisionError, Text
from edge_agent.provision.files import write_private
from edge_agent.services import rights
from edge_agent.services.box_commands import BOX
from edge_agent.settings import Settings, share

NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,31}$")
AGENT = "agent"
BUTTONS = "buttons"
OWN = (AGENT, BUTTONS)
"""Kinds of the box's own processes; no device may have them, or their names."""
KINDS = (*OWN, *(kind.value for kind in DeviceKind))
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def folder(settings: Settings) -> Path:
    """Return where the broker's files lie."""
    return settings.data / "mosquitto"


def program() -> str:
    """Return the broker's program; raise `ProvisionError` if Mosquitto is not installed."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise ProvisionError(
            Text("Mosquitto がインストールされていません。", "Mosquitto is not installed."),
            Text("「sudo apt-get install mosquitto」を実行してください。", "Run “sudo apt-get install mosquitto”."),
        )
    return found


def command(settings: Settings) -> list[str]:
    """Return what runs the broker; raise `ProvisionError` if Mosquitto is not installed."""
    script = share() / "firmware_config/mosquitto/broker.sh"
    refused = settings.broker_refusals_file
    return ["bash", str(script), program(), str(folder(settings) / "mosquitto.conf"), str(refused)]


def write_configuration(settings: Settings, *, user: str) -> Path:
    """Write mosquitto.conf for this box; `user` is whom the broker runs as. Returns the file."""
    there = folder(settings)
    (there / "store").mkdir(parents=True, exist_ok=True, mode=0o700)
    template = (share() / "firmware_config/mosquitto/mosquitto.conf").read_text(encoding="utf-8")
    # A broker on loopback serves this box alone; any other name is where panels find it, on every address.
    address = "127.0.0.1" if settings.mqtt.host in LOOPBACK else "0.0.0.0"  # noqa: S104
    text = template
    values = {
        "user": user,
        "folder": there.resolve(),
        "pki": (settings.data / "pki").resolve(),
        "port": settings.mqtt.port,
        "address": address,
    }
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", str(value))
    file = there / "mosquitto.conf"
    write_private(file, text)
    # A newer version may give a kind of device other rights than the one that added it.
    write_private(there / "acl", acl(settings, devices(settings)))
    return file


def devices(settings: Settings) -> dict[str, str]:
    """Return the kind of every device by its name."""
    file = folder(settings) / "devices.json"
    return json.loads(file.read_text()) if file.is_file() else {}


def ensure_device(settings: Settings, name: str, kind: str) -> Path:
    """Give a device an identity unless it has one; return the file that holds its password."""
    password_file = settings.data / "secrets" / f"mqtt-{name}"
    if name not in devices(settings) or not password_file.is_file():
        add_device(settings, name, kind)
    return password_file


def add_device(settings: Settings, name: str, kind: str) -> str:
    """Give a device a new identity (a second call gives it a new password); return the password.

    Raises:
        ProvisionError: for a name or kind that cannot be, or when mosquitto_passwd fails.
    """
    known_as = devices(settings).get(name, kind)
    # A device called like the box itself could answer for it.
    can_be = NAME.fullmatch(name) and name != BOX
    if not can_be or kind not in KINDS or (known_as != kind and known_as in OWN):
        raise ProvisionError(
            Text(f"機器「{name}」（種類 {kind}）は登録できません。", f"Device {name!r} (kind {kind}) cannot be added."),
            Text(
                f"名前は英小文字・数字・ハイフン32字まで、種類は {', '.join(KINDS)} です。",
                f"Names are up to 32 lower-case letters, digits and hyphens; kinds are {', '.join(KINDS)}.",
            ),
        )
    password = secrets.token_urlsafe(24)
    known = devices(settings) | {name: kind}
    _write(settings, known, {name: password})
    write_private(settings.data / "secrets" / f"mqtt-{name}", password + "\n")
    return password


def revoke_device(settings: Settings, name: str) -> None:
    """Take a device's identity away; raise `ProvisionError` if there is none of that name."""
    known = devices(settings)
    if known.pop(name, AGENT) in OWN:
        raise ProvisionError(
            Text(f"機器「{name}」は登録されていません。", f"There is no device {name!r}."),
            Text("「mamori device list」で確認してください。", "See “mamori device list”."),
        )
    _write(settings, known, {})
    (settings.data / "secrets" / f"mqtt-{name}").unlink(missing_ok=True)


def reload(settings: Settings) -> None:
    """Tell a running broker to read identities and rights again."""
    try:
        os.kill(int((folder(settings) / "mosquitto.pid").read_text()), signal.SIGHUP)
    except (OSError, ValueError):
        # It is not running: it will read them when it starts.
        return


def _write(settings: Settings, known: dict[str, str], new: dict[str, str]) -> None:
    there = folder(settings)
    there.mkdir(parents=True, exist_ok=True, mode=0o700)
    passwords = there / "passwords"
    hashed = {}
    if passwords.is_file():
        hashed = dict(line.split(":", 1) for line in passwords.read_text().splitlines() if ":" in line)
    lines = [f"{name}:{hashed[name]}" for name in known if name in hashed and name not in new]
    write_private(passwords, "".join(f"{line}\n" for line in [*lines, *(_hashed(there, new))]))
    write_private(there / "acl", acl(settings, known))
    write_private(there / "devices.json", json.dumps(known, indent=1))


def _hashed(there: Path, new: dict[str, str]) -> list[str]:
    if not new:
        return []
    program()  # mosquitto_passwd comes with it
    # Through a file, so that no password stands in a process list.
    plain = there / "passwords.plain"
    write_private(plain, "".join(f"{name}:{password}\n" for name, password in new.items()))
    try:
        done = subprocess.run(["mosquitto_passwd", "-U", str(plain)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ProvisionError(
                Text("ブローカーのパスワードを作れません。", "The broker's password cannot be made."),
                Text(f"mosquitto_passwd: {done.stderr.strip()}", f"mosquitto_passwd: {done.stderr.strip()}"),
            )
        return plain.read_text().splitlines()
    finally:
        plain.unlink(missing_ok=True)


def acl(settings: Settings, known: dict[str, str]) -> str:
    """Return the broker's access list for these devices (name to kind)."""
    return "\n".join(rights.block(kind, name=name, box=settings.box) for name, kind in sorted(known.items()))
