"""Which box a command is about: its settings and its records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click

from edge_agent import settings as settings_module
from edge_agent.errors import SettingsError, Text
from edge_agent.settings import Settings
from edge_agent.store.database import Database, open_main

FOLDER = Path("/var/lib/mamori")
SETTINGS = Path("/etc/mamori/mamori.toml")

DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER,
    show_default=True,
    help="記録のフォルダー / folder of the appliance's records",
)


def settings_of(data: Path) -> Settings:
    """Return the settings beside the data, or the box's own if it is the box's folder.

    Raises:
        SettingsError: they are wrong, or the folder is no box's: a mistyped one must not become a command to this box.
    """
    beside = data / "settings.toml"
    if _is_file(beside):
        return settings_module.load(beside)
    if not _is_file(SETTINGS):
        raise _no_box(data)
    settings = settings_module.load(SETTINGS)
    if data != FOLDER and data.resolve() != settings.data.resolve():
        raise _no_box(data)
    return settings


def settings_or_shipped(data: Path) -> Settings:
    """Return the settings as `settings_of` does; on a machine that is no box, if no folder was told, those shipped."""
    if data == FOLDER and not _is_file(data / "settings.toml") and not _is_file(SETTINGS):
        return Settings()
    return settings_of(data)


@contextmanager
def on_box(data: Path) -> Iterator[tuple[Settings, Database]]:
    """Give the settings and the main database, closed afterwards whatever happens."""
    settings = settings_of(data)
    with closing(open_main(settings.data)) as db:
        yield settings, db


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except PermissionError:
        # Somebody who may not look into the folder: to them it holds nothing.
        return False


def _no_box(data: Path) -> SettingsError:
    settings = f"{data}/settings.toml"
    if data == FOLDER:
        return SettingsError(
            Text(
                f"機器の設定ファイルがありません（{SETTINGS} も {settings} も見つからないか、読む権限がありません）。",
                f"The box's settings are not there: neither {SETTINGS} nor {settings} is found, or may be looked at.",
            ),
            Text(
                "機器の上で管理者として実行するか、--data で記録のフォルダーを指定してください。",
                "Run it on the box as an administrator, or give the folder of its records with --data.",
            ),
        )
    return SettingsError(
        Text(
            f"--data の {data} は、機器の記録のフォルダーではありません"
            "（settings.toml が見つからないか、読む権限がありません）。",
            f"--data {data} is no folder of a box's records: no settings.toml is found there, or may be looked at.",
        ),
        Text(
            f"フォルダー名を確かめてください。この機器自身のものなら --data は要りません（{FOLDER}）。",
            f"Check its name. For this box's own records leave --data out ({FOLDER}).",
        ),
    )
