"""Which box a command is about: its settings and its records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click

from edge_agent import settings as settings_module
from edge_agent.settings import Settings
from edge_agent.store.database import Database, open_main

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


@contextmanager
def on_box(data: Path) -> Iterator[tuple[Settings, Database]]:
    """Give the settings and the main database, closed afterwards whatever happens."""
    settings = settings_of(data)
    with closing(open_main(settings.data)) as db:
        yield settings, db
