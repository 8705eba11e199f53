"""People who may log in to the pages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from edge_agent.cli.devices import DATA, settings_of
from edge_agent.cli.words import show
from edge_agent.domain.roles import Role
from edge_agent.errors import Text
from edge_agent.services import accounts
from edge_agent.store import people
from edge_agent.store.database import open_main


@click.group()
def person() -> None:
    """画面にログインする人 / people who may log in."""


@person.command()
@click.argument("name")
@click.option("--display-name", help="画面に出る名前 / name shown on the pages")
@click.option("--role", type=click.Choice([role.value for role in Role]), default="supervisor", show_default=True)
@DATA
def add(*, name: str, display_name: str | None, role: str, data: Path) -> None:
    """人を登録し、1回限りのパスワードを表示する / add someone and print a one-time password."""
    password = accounts.one_time_password()
    db = open_main(settings_of(data).data)
    accounts.create_person(
        db,
        name=name,
        display_name=display_name or name,
        role=Role(role),
        password=password,
        must_change=True,
        now=datetime.now(UTC),
    )
    db.close()
    show(
        Text(f"「{name}」を登録しました。初回パスワード: {password}", f"Added {name!r}. One-time password: {password}")
    )


@person.command("list")
@DATA
def list_people(*, data: Path) -> None:
    """登録済みの人を一覧する / list the people."""
    db = open_main(settings_of(data).data)
    for someone in people.everyone(db):
        click.echo(f"{someone.name}\t{someone.role.value}\t{someone.display_name}")
    db.close()


@person.command()
@click.argument("name")
@DATA
def reset(*, name: str, data: Path) -> None:
    """パスワードを忘れた人に1回限りのパスワードを出す / give someone a new one-time password."""
    db = open_main(settings_of(data).data)
    password = accounts.reset_password(db, name=name, now=datetime.now(UTC))
    db.close()
    show(Text(f"「{name}」の新しいパスワード: {password}", f"New one-time password of {name!r}: {password}"))
