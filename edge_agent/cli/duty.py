"""Who the ladder asks: people of its levels, their shifts, and who is away."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from edge_agent.cli.box import DATA, on_box
from edge_agent.cli.words import show
from edge_agent.domain.duty import OnCall
from edge_agent.errors import Text
from edge_agent.services import duty as services
from edge_agent.store import duty as store

BY = "mamori duty"
"""The actor of what is done on the box itself."""


@click.group()
def duty() -> None:
    """アラートを次に誰へ知らせるか / who is asked about an alert."""


@duty.command()
@click.argument("name")
@click.option("--display-name", help="画面に出る名前。省くとログイン名の人の名前 / name shown; default: the log-in's")
@click.option("--level", type=click.Choice(services.LEVELS), default="L2", show_default=True)
@click.option("--rank", type=click.IntRange(0, 999), default=0, show_default=True, help="順番 / order within the level")
@click.option("--shift", "shifts", multiple=True, help="mon-fri 09:00-18:00（省くといつも / default: always）")
@DATA
def put(*, name: str, display_name: str | None, level: str, rank: int, shifts: tuple[str, ...], data: Path) -> None:
    """当番を登録・変更する / name someone on duty, or change them."""
    hours = services.read_shifts(shifts)
    with on_box(data) as (_, db):
        person = services.put(
            db,
            name=name,
            display_name=display_name,
            level=level,
            rank=rank,
            shifts=hours,
            by=BY,
            now=datetime.now(UTC),
        )
    show(
        Text(
            f"{person.level} に「{person.display_name}」を登録しました。",
            f"{person.display_name} is in {person.level}.",
        )
    )


@duty.command("list")
@DATA
def list_duty(*, data: Path) -> None:
    """呼ばれる順に一覧する / list everybody in the order they are asked."""
    now = datetime.now(UTC).astimezone()
    with on_box(data) as (_, db):
        for person in store.everyone(db):
            there = "absent" if person.absent else "there" if person.is_there(now) else "off"
            hours = "; ".join(map(str, person.shifts)) or "always"
            click.echo(f"{person.level}\t{person.rank}\t{person.name}\t{person.display_name}\t{there}\t{hours}")


@duty.command()
@click.argument("name")
@DATA
def absent(*, name: str, data: Path) -> None:
    """不在にする。次の人が呼ばれます / mark someone as away; the next person is asked."""
    person = _marked(data, name, absent=True)
    show(Text(f"「{person.display_name}」を不在にしました。", f"{person.display_name} is marked as away."))


@duty.command()
@click.argument("name")
@DATA
def back(*, name: str, data: Path) -> None:
    """在席に戻す / mark someone as back."""
    person = _marked(data, name, absent=False)
    show(Text(f"「{person.display_name}」を在席にしました。", f"{person.display_name} is back."))


@duty.command()
@click.argument("name")
@DATA
def remove(*, name: str, data: Path) -> None:
    """当番表から外す / take someone out of the roster."""
    with on_box(data) as (_, db):
        services.remove(db, name=name, by=BY, now=datetime.now(UTC))
    show(Text(f"「{name}」を当番表から外しました。", f"{name} is not in the roster any more."))


def _marked(data: Path, name: str, *, absent: bool) -> OnCall:
    with on_box(data) as (_, db):
        return services.mark(db, name=name, absent=absent, by=BY, now=datetime.now(UTC))
