"""Identities of panels on the floor's broker."""

from __future__ import annotations

from pathlib import Path

import click

from edge_agent import settings as settings_module
from edge_agent.cli.words import show
from edge_agent.errors import Text
from edge_agent.provision import broker
from edge_agent.settings import Settings

DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/var/lib/mamori"),
    show_default=True,
    help="記録のフォルダー / folder of the appliance's records",
)


def settings_of(data: Path) -> Settings:
    """Return the settings beside the data, or the box's own."""
    beside = data / "settings.toml"
    return settings_module.load(beside if beside.is_file() else Path("/etc/mamori/mamori.toml"))


@click.group()
def device() -> None:
    """ブローカーにつながる機器 / devices on the floor's broker."""


@device.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(["panel", "lamp"]), default="panel", show_default=True)
@DATA
def add(*, name: str, kind: str, data: Path) -> None:
    """機器を登録し、接続情報を1度だけ表示する / add a device and print its credentials once."""
    settings = settings_of(data)
    password = broker.add_device(settings, name, kind)
    broker.reload(settings)
    show(
        Text(
            f"機器「{name}」を登録しました。機器に設定する内容（パスワードはここでだけ表示されます）:",
            f"Added {name!r}. What to enter on the device (the password is shown here only):",
        )
    )
    click.echo(f"host={settings.mqtt.host} port={settings.mqtt.port} user={name} password={password}")
    click.echo(f"ca={settings.ca_file}")


@device.command("list")
@DATA
def list_devices(*, data: Path) -> None:
    """登録済みの機器を一覧する / list the devices."""
    for name, kind in sorted(broker.devices(settings_of(data)).items()):
        click.echo(f"{name}\t{kind}")


@device.command()
@click.argument("name")
@DATA
def revoke(*, name: str, data: Path) -> None:
    """機器の登録を取り消す / take a device's identity away."""
    settings = settings_of(data)
    broker.revoke_device(settings, name)
    broker.reload(settings)
    show(Text(f"機器「{name}」の登録を取り消しました。", f"Revoked {name!r}."))
