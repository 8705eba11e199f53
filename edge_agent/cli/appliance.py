"""Running the appliance: everything at once, or one of its processes."""

from __future__ import annotations

import os
from pathlib import Path

import click

from edge_agent import daemon, log
from edge_agent import settings as settings_module
from edge_agent.allocator import keep_to_itself
from edge_agent.cli.words import say, show
from edge_agent.errors import Text
from edge_agent.provision import appliance
from edge_agent.services import housekeeping as keeping

SETTINGS = click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("/etc/mamori/mamori.toml"),
    show_default=True,
    help="設定ファイル / settings file",
)


@click.command()
@click.option("--demo", "demonstration", is_flag=True, help="実演フロアで動かす / run the demonstration floor")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/var/lib/mamori"),
    show_default=True,
    help="記録を置くフォルダー / folder of what must survive",
)
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="設定ファイル（省略時は DATA/settings.toml） / settings file (default: DATA/settings.toml)",
)
def run(*, demonstration: bool, data: Path, settings_file: Path | None) -> None:
    """準備から起動・見守り・停止まで行う / set up, start and look after broker, agent and web."""
    appliance.run(data, demonstration=demonstration, settings_file=settings_file, say=say)


@click.command()
@SETTINGS
def provision(*, settings_file: Path) -> None:
    """証明書・接続情報・データベース・最初の管理者を用意する / create what a box needs before its first start."""
    settings = settings_module.load(settings_file)
    appliance.set_up(settings, say=say)
    password = appliance.ensure_administrator(settings)
    if password is not None:
        show(
            Text(
                f"ログイン名: {appliance.ADMINISTRATOR}　初回パスワード（1回限り）: {password}",
                f"Log-in name: {appliance.ADMINISTRATOR}   one-time password: {password}",
            )
        )


@click.command()
@SETTINGS
def agent(*, settings_file: Path) -> None:
    """回線を聴き、判断し、知らせる（systemd が起動します） / listen, judge and alert (started by systemd)."""
    log.set_up()
    keep_to_itself(os.environ)
    daemon.run(settings_module.load(settings_file))


@click.command()
@SETTINGS
def housekeeping(*, settings_file: Path) -> None:
    """監査記録を検証し、期限切れを片付ける / check the audit chain and clear what has run out."""
    report = keeping.keep_house(settings_module.load(settings_file))
    show(
        Text(
            f"監査記録 {report.audit_entries} 件は正しくつながっています。送信済み {report.cleared} 件を片付けました。",
            f"The audit chain of {report.audit_entries} entries is whole; {report.cleared} sent messages cleared.",
        )
    )
