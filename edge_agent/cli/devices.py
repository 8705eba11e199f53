"""Devices on the floor's broker: an identity each, whether it is there, and a test of what it shows."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from edge_agent.cli.box import DATA, on_box, settings_of
from edge_agent.cli.words import languages, say, show
from edge_agent.domain.device import DeviceKind, Presence
from edge_agent.errors import DeviceError, Text
from edge_agent.provision import broker, credentials
from edge_agent.services import devices as services
from edge_agent.services import integrations, wire
from edge_agent.store import broker_refusals
from edge_agent.store import devices as table
from edge_agent.store.database import Database, open_main

ACTOR = "mamori device"
"""How the audit chain names who used this command: whoever may run it on the box."""
LOOK_S = 0.2
STATES = {
    Presence.NEVER: Text("未接続", "not yet connected"),
    Presence.CONNECTED: Text("接続中", "connected"),
    Presence.MISSING: Text("応答なし", "MISSING"),
    Presence.HEARD: Text("利用あり", "in use"),
    Presence.SILENT: Text("通話の知らせが止まっています", "ANNOUNCES NOTHING although calls are heard"),
}
ALL_SEATS = Text("すべての席", "all seats")
REASONS = {
    "expired": Text("期限切れ。機器の時計を確認してください", "expired; check the device's clock"),
    "early": Text("未来の命令。機器の時計を確認してください", "not yet; check the device's clock"),
    "repeated": Text("2度目の命令", "repeated"),
    "unreadable": Text("読めない命令", "unreadable"),
    "unknown": Text("知らない命令。機器を更新してください", "unknown; update the device"),
}


@click.group()
def device() -> None:
    """ブローカーにつながる機器 / devices on the floor's broker."""


@device.command()
@click.argument("name")
@click.option("--kind", type=click.Choice([kind.value for kind in DeviceKind]), default="panel", show_default=True)
@click.option("--format", "form", type=click.Choice(["json", "ini"]), default="json", show_default=True)
@click.option(
    "--qr/--no-qr", default=None, help="QRコードも表示（端末では既定で表示） / a QR code too (default on a terminal)"
)
@click.option(
    "--seat",
    "seats",
    multiple=True,
    help="連携が扱う席（既定はすべて） / seats an integration may speak for (default: all)",
)
@DATA
def add(*, name: str, kind: str, form: str, qr: bool | None, seats: tuple[str, ...], data: Path) -> None:
    """機器を登録し、接続情報を1度だけ表示する / add a device and print its credentials once."""
    settings = settings_of(data)
    if seats and kind != DeviceKind.INTEGRATION:
        raise click.UsageError("--seat: --kind integration")
    integrations.refuse_strangers(seats, settings)
    password = broker.add_device(settings, name, kind)
    token = ""
    with closing(open_main(settings.data)) as db:
        now = datetime.now(UTC)
        if kind == DeviceKind.INTEGRATION:
            token = integrations.admit(db, name=name, seats=seats, by=ACTOR, now=now)
        else:
            services.register(db, name=name, kind=DeviceKind(kind), by=ACTOR, now=now)
    broker.reload(settings)
    say(
        Text(
            f"機器「{name}」を登録しました。機器に設定する内容（パスワードとトークンはここでだけ表示されます）:",
            f"Added {name!r}. What to enter on the device (password and token are shown here only):",
        )
    )
    told = credentials.credentials(settings, name=name, kind=kind, password=password)
    if token:
        told |= {"url": credentials.api_address(settings), "token": token}
    click.echo(credentials.as_ini(told) if form == "ini" else credentials.as_json(told))
    if qr or (qr is None and sys.stdout.isatty()):
        credentials.qr_code(told).terminal(compact=True)
    if settings.mqtt.host in broker.LOOPBACK:
        say(
            Text(
                "設定の mqtt.host が localhost のため、この機器の中からしかつながりません。",
                "mqtt.host is localhost in the settings: only this box itself can connect.",
            )
        )


@device.command("list")
@DATA
def list_devices(*, data: Path) -> None:
    """機器の種類・接続状態・最後の応答・連携の席を一覧する / list devices: kind, state, last seen, last test, seats."""
    with on_box(data) as (settings, db):
        known = {one.name: one for one in services.overview(db, settings=settings, now=datetime.now(UTC))}
        tests = table.last_tests(db)
    for name, kind in sorted(broker.devices(settings).items()):
        there = known.get(name)
        state = _in_language(STATES[there.presence]) if there else "-"
        seen = there.last_seen.astimezone().isoformat(" ", "seconds") if there and there.last_seen else "-"
        tested = datetime.fromisoformat(tests[name]).astimezone().isoformat(" ", "seconds") if name in tests else "-"
        seats = "-"
        if kind == DeviceKind.INTEGRATION and there:
            seats = ",".join(there.seats) or _in_language(ALL_SEATS)
        click.echo(f"{name}\t{kind}\t{state}\t{seen}\t{tested}\t{seats}")


@device.command()
@DATA
def refused(*, data: Path) -> None:
    """ブローカーが拒んだことを一覧する / list what the broker has refused: device, attempt, times, last, topic."""
    with on_box(data) as (_settings, db):
        for one in broker_refusals.everything(db):
            last = datetime.fromisoformat(one.last_at).astimezone().isoformat(" ", "seconds")
            click.echo(f"{one.device}\t{one.attempt}\t{one.count}\t{last}\t{one.topic or '-'}")


@device.command()
@click.argument("name")
@DATA
def revoke(*, name: str, data: Path) -> None:
    """機器の登録を取り消し、接続を切る / take a device's identity away and cut it off."""
    settings = settings_of(data)
    broker.revoke_device(settings, name)
    with closing(open_main(settings.data)) as db:
        services.revoke(db, name=name, by=ACTOR, now=datetime.now(UTC))
    broker.reload(settings)
    show(Text(f"機器「{name}」の登録を取り消しました。", f"Revoked {name!r}."))


@device.command()
@click.argument("name")
@click.option("--seconds", type=float, default=15.0, show_default=True, help="返事を待つ秒数 / how long to wait")
@DATA
def test(*, name: str, seconds: float, data: Path) -> None:
    """パネルにテスト表示をさせ、返事を確かめる / have a panel show a test and say so."""
    with on_box(data) as (settings, db):
        command_id = services.give_test(db, name, box=settings.box, by=ACTOR, now=datetime.now(UTC))
        answer = _answer(db, command_id, within_s=min(seconds, wire.expiry_of("command")))
    if answer is None:
        raise DeviceError(
            Text(f"「{name}」から返事がありません。", f"{name!r} does not answer."),
            Text(
                "「mamori device list」で接続を、機器で電源と時計を確認してください。",
                "See whether it is connected with “mamori device list”; check its power and clock.",
            ),
        )
    if answer.outcome == "refused":
        why = REASONS.get(answer.reason, Text(answer.reason, answer.reason))
        raise DeviceError(
            Text(f"「{name}」は命令を断りました（{why.ja}）。", f"{name!r} has refused the command ({why.en})."),
            Text("理由を解消してもう一度試してください。", "Mend the reason and try again."),
        )
    show(Text(f"「{name}」がテストを表示しました。", f"{name!r} has shown the test."))


def _answer(db: Database, command_id: str, *, within_s: float) -> table.CommandRow | None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        row = table.find_command(db, command_id)
        if row is not None and row.outcome:
            return row
        time.sleep(LOOK_S)
    return None


def _in_language(text: Text) -> str:
    return "/".join(dict.fromkeys(text.in_language(language) for language in languages()))
