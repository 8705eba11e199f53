"""`mamori run`: everything on one machine, set up at the first start and supervised from then on."""

from __future__ import annotations

import getpass
import hashlib
import os
import secrets
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from edge_agent import settings as settings_module
from edge_agent.allocator import preloading
from edge_agent.domain.device import DeviceKind
from edge_agent.domain.roles import Role
from edge_agent.errors import ProvisionError, Text
from edge_agent.provision import broker, demo, pki
from edge_agent.provision.files import write_private
from edge_agent.provision.processes import Child, Children, listening, refuse_taken_port, this_python
from edge_agent.services import accounts, devices
from edge_agent.settings import Settings, share
from edge_agent.store import devices as device_table
from edge_agent.store import people
from edge_agent.store.database import open_live, open_main

ADMINISTRATOR = "admin"
BUTTONS = "buttons"
"""Identity of the process that watches the buttons; `settings.buttons_password_file` holds its password."""
PANEL = "panel-1"
"""The reference panel's identity, created with the demonstration floor."""

Say = Callable[[Text], None]


def memory_folder(data: Path) -> Path:
    """Return a folder in memory for what must not survive; in `data` where the machine has no /dev/shm."""
    shared = Path("/dev/shm")  # noqa: S108 - the point is that it is memory
    if not os.access(shared, os.W_OK):
        return data / "run"
    name = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:12]
    return shared / f"mamori-{os.getuid()}-{name}"


def run(data: Path, *, demonstration: bool, settings_file: Path | None, say: Say) -> None:
    """Set up what is missing, start broker, agent and web, and look after them until a signal comes.

    Raises:
        MamoriError: whatever keeps the appliance from running, with a remedy.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = settings_file or data / "settings.toml"
    if demonstration and not file.is_file():
        say(Text("[1/6] 設定を書いています", "[1/6] writing the settings"))
        template = (share() / "firmware_config/settings/demo.toml").read_text(encoding="utf-8")
        text = template.replace("{data}", str(data.resolve())).replace("{run}", str(memory_folder(data)))
        write_private(file, text)
    settings = settings_module.load(file)
    _refuse_taken_ports(settings)
    set_up(settings, say=say)
    environment: dict[str, str] = {}
    if demonstration:
        say(
            Text("[4/6] 実演フロアの音声カードを用意しています", "[4/6] preparing the demonstration floor's sound card")
        )
        environment = demo.environment(demo.ensure_card(data / "alsa"))
    password = ensure_administrator(settings)
    say(Text("[5/6] ブローカー・エージェント・画面を起動しています", "[5/6] starting broker, agent and web"))
    children = Children(
        [
            Child(
                name="broker",
                command=broker.command(settings),
                ready=lambda: listening(settings.mqtt.host, settings.mqtt.port),
            ),
            Child(
                name="buttons",
                command=this_python("edge_agent.button_daemon", "--settings", str(file)),
                ready=(settings.run / "buttons.ready").is_file,
            ),
            Child(
                name="agent",
                command=this_python("edge_agent", "agent", "--settings", str(file)),
                environment=environment | preloading(),
                ready=(settings.run / "agent.ready").is_file,
            ),
            Child(
                name="web",
                command=this_python("web_ui.serve", "--settings", str(file)),
                ready=lambda: _answers(settings),
            ),
        ],
        say=say,
    )
    for name in ("agent", "buttons"):
        (settings.run / f"{name}.ready").unlink(missing_ok=True)
    children.run(started=lambda: _welcome(settings, password, say))
    say(Text("停止しました。", "Stopped."))


def set_up(settings: Settings, *, say: Say) -> None:
    """Create what is missing: certificate authority, certificates, identities, databases."""
    now = datetime.now(UTC)
    if pki.ensure_authority(settings.data / "pki", now=now):
        say(Text("[2/6] 認証局を作りました", "[2/6] created the certificate authority"))
    pki.ensure_server(settings.data / "pki", "broker", hosts=[settings.mqtt.host], now=now)
    if not settings.web.certificate:
        pki.ensure_server(settings.data / "pki", "web", hosts=[settings.web.host, *settings.web.names], now=now)
    known = broker.devices(settings)
    broker.ensure_device(settings, settings.mqtt.user, "agent")
    broker.ensure_device(settings, BUTTONS, "buttons")
    broker.ensure_device(settings, PANEL, "panel")
    if not known:
        say(Text("[3/6] 機器ごとの接続情報を作りました", "[3/6] created the credentials of every device"))
    broker.write_configuration(settings, user=getpass.getuser())
    settings.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    if settings.run.stat().st_uid != os.geteuid() and os.geteuid() != 0:
        # Its name can be guessed, and whoever made it first could read the words of calls.
        raise ProvisionError(
            Text(
                f"フォルダー {settings.run} は他のユーザーのものです。",
                f"Folder {settings.run} belongs to somebody else.",
            ),
            Text(
                "管理者に削除してもらうか、設定の paths.run を変えてください。", "Have it removed, or change paths.run."
            ),
        )
    settings.broker_refusals_file.parent.mkdir(exist_ok=True, mode=0o700)
    _know_devices(settings)
    open_live(settings.run).close()
    secret = settings.data / "secrets" / "web-session"
    if not secret.is_file():
        write_private(secret, secrets.token_hex(32) + "\n")
    _ensure_caller_key(settings)


def _ensure_caller_key(settings: Settings) -> None:
    """Make the key of the callers' handles, one copy for each process: a file of two users would be a third's too."""
    files = [settings.caller_key(process) for process in ("agent", "web")]
    known = next((file.read_text(encoding="ascii") for file in files if file.is_file()), None)
    key = known or secrets.token_hex(32) + "\n"
    for file in files:
        if not file.is_file():
            write_private(file, key)


def _know_devices(settings: Settings) -> None:
    """Have the database know every device that has an identity on the broker."""
    db = open_main(settings.data)
    try:
        known = {device.name for device in device_table.everything(db)}
        for name, kind in broker.devices(settings).items():
            if kind not in broker.OWN and name not in known:
                devices.register(db, name=name, kind=DeviceKind(kind), by=devices.MACHINE, now=datetime.now(UTC))
    finally:
        db.close()


def ensure_administrator(settings: Settings) -> str | None:
    """Return a one-time password for the first administrator, or None once somebody has logged in and changed it.

    Until then every start gives a new one: the one printed before may never have been read.
    """
    db = open_main(settings.data)
    try:
        known = people.everyone(db)
        if [person.name for person in known if person.must_change] == [ADMINISTRATOR] and len(known) == 1:
            return accounts.reset_password(db, name=ADMINISTRATOR, now=datetime.now(UTC))
        if known:
            return None
        password = accounts.one_time_password()
        accounts.create_person(
            db,
            name=ADMINISTRATOR,
            display_name="管理者",
            role=Role.ADMINISTRATOR,
            password=password,
            must_change=True,
            now=datetime.now(UTC),
        )
        return password
    finally:
        db.close()


def address(settings: Settings) -> str:
    """Return where the pages are."""
    return f"https://{settings.web.host}:{settings.web.port}"


def _refuse_taken_ports(settings: Settings) -> None:
    refuse_taken_port(settings.web.host, settings.web.port, what=Text("画面", "the pages"), setting="web.port")
    if settings.web.redirect_port:
        refuse_taken_port(
            settings.web.host, settings.web.redirect_port, what=Text("画面", "the pages"), setting="web.redirect_port"
        )
    refuse_taken_port("127.0.0.1", settings.mqtt.port, what=Text("ブローカー", "the broker"), setting="mqtt.port")


def _answers(settings: Settings) -> bool:
    if settings.web.certificate:
        return listening(settings.web.host, settings.web.port)
    try:
        trusted = ssl.create_default_context(cafile=str(settings.data / "pki" / "ca.crt"))
        with urllib.request.urlopen(f"{address(settings)}/login", timeout=2, context=trusted) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's OK
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def _welcome(settings: Settings, password: str | None, say: Say) -> None:
    say(Text("[6/6] 起動しました", "[6/6] running"))
    say(Text(f"画面: {address(settings)}", f"Open {address(settings)}"))
    if not settings.web.certificate:
        authority, mark = settings.data / "pki" / "ca.crt", pki.fingerprint(settings.web_certificate)
        say(
            Text(
                f"初回はブラウザーが警告します。{authority} を取り込むか、指紋 (SHA-256) を見比べてください: {mark}",
                f"The browser warns at first: import {authority}, or compare the fingerprint (SHA-256): {mark}",
            )
        )
    if password:
        say(
            Text(
                f"ログイン名: {ADMINISTRATOR}　初回パスワード（1回限り）: {password}",
                f"Log-in name: {ADMINISTRATOR}   one-time password: {password}",
            )
        )
    else:
        say(
            Text(
                f"ログイン名: {ADMINISTRATOR}（パスワードを忘れたら「mamori people reset {ADMINISTRATOR}」）",
                f"Log-in name: {ADMINISTRATOR} (forgotten? “mamori people reset {ADMINISTRATOR}”)",
            )
        )
    say(Text("終了は Ctrl-C です。", "Ctrl-C stops everything."))
