"""People who may log in to the pages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from edge_agent.cli.box import DATA, on_box
from edge_agent.cli.words import show
from edge_agent.domain.roles import Role
from edge_agent.errors import Text
from edge_agent.services import accounts, lockout, second_factor, sessions, staff

ROLE = click.Choice([role.value for role in Role])
BY = accounts.MACHINE
"""Who did it, in the audit chain: whoever works at the box itself has no name there."""


@click.group()
def people() -> None:
    """画面にログインする人 / people who may log in."""


@people.command()
@click.argument("name")
@click.option("--display-name", help="画面に出る名前 / name shown on the pages")
@click.option("--role", type=ROLE, default=Role.SUPERVISOR.value, show_default=True)
@DATA
def add(*, name: str, display_name: str | None, role: str, data: Path) -> None:
    """人を登録し、1回限りのパスワードを表示する / add someone and print a one-time password."""
    password = accounts.one_time_password()
    with on_box(data) as (_, db):
        accounts.create_person(
            db,
            name=name,
            display_name=display_name or name,
            role=Role(role),
            password=password,
            must_change=True,
            now=datetime.now(UTC),
        )
    show(
        Text(f"「{name}」を登録しました。初回パスワード: {password}", f"Added {name!r}. One-time password: {password}")
    )


@people.command("list")
@DATA
def list_people(*, data: Path) -> None:
    """登録済みの人を一覧する / list the people."""
    now = datetime.now(UTC)
    with on_box(data) as (_, db):
        for someone in staff.present(db):
            state = "locked" if lockout.is_locked(someone, now) else "first-password" if someone.must_change else "-"
            groups = ",".join(someone.groups) or "*"
            click.echo(f"{someone.name}\t{someone.role.value}\t{groups}\t{state}\t{someone.display_name}")


@people.command()
@click.argument("name")
@DATA
def reset(*, name: str, data: Path) -> None:
    """パスワードを忘れた人に1回限りのパスワードを出す / give someone a new one-time password."""
    with on_box(data) as (_, db):
        password = accounts.reset_password(db, name=name, now=datetime.now(UTC))
    show(Text(f"「{name}」の新しいパスワード: {password}", f"New one-time password of {name!r}: {password}"))


@people.command("role")
@click.argument("name")
@click.argument("role", type=ROLE)
@DATA
def change_role(*, name: str, role: str, data: Path) -> None:
    """役割を変え、ログインを終了する / give someone another role and end their sessions."""
    with on_box(data) as (_, db):
        staff.change_role(db, name=name, role=Role(role), by=BY, now=datetime.now(UTC))
    show(Text(f"「{name}」の役割は {role} です。", f"{name!r} is {role} now."))


@people.command("group")
@click.argument("name")
@click.argument("groups", nargs=-1)
@DATA
def change_groups(*, name: str, groups: tuple[str, ...], data: Path) -> None:
    """担当するグループを決める。なし: フロア全体 / give someone the seats of groups; none: the whole floor."""
    with on_box(data) as (settings, db):
        known = {seat.group for seat in settings.seats if seat.group}
        staff.change_groups(db, name=name, groups=groups, known=known, by=BY, now=datetime.now(UTC))
    chosen = " ".join(groups)
    show(Text(f"「{name}」の担当: {chosen or 'フロア全体'}", f"{name!r} deals with: {chosen or 'the whole floor'}"))


@people.command()
@click.argument("name")
@DATA
def unlock(*, name: str, data: Path) -> None:
    """続けて間違えた人のロックを解除する / let someone try again at once."""
    with on_box(data) as (_, db):
        staff.unlock(db, name=name, by=BY, now=datetime.now(UTC))
    show(Text(f"「{name}」のロックを解除しました。", f"Unlocked {name!r}."))


@people.command("second-factor-off")
@click.argument("name")
@DATA
def second_factor_off(*, name: str, data: Path) -> None:
    """端末もリカバリーコードも失くした人の2段階認証を無効にする / turn off the second factor of who has lost it."""
    with on_box(data) as (_, db):
        second_factor.take_away(db, name=name, by=BY, now=datetime.now(UTC))
    show(Text(f"「{name}」の2段階認証を無効にしました。", f"The second factor of {name!r} is off."))


@people.command("sessions")
@click.argument("name")
@click.option("--end", is_flag=True, help="すべて終了する / end all of them")
@DATA
def list_sessions(*, name: str, end: bool, data: Path) -> None:
    """ログイン中の端末を一覧し、終了する / list where someone is logged in, and end it."""
    now = datetime.now(UTC)
    with on_box(data) as (_, db):
        staff.find(db, name)
        for one in sessions.of(db, name, now=now):
            click.echo(f"{one.session_id}\t{one.created_at}\t{one.last_seen}\t{one.address}\t{one.browser}")
        if end:
            count = sessions.revoke_all(db, name=name, by=BY, now=now)
            show(Text(f"{count} 件のログインを終了しました。", f"Sessions ended: {count}."))


@people.command()
@click.argument("name")
@DATA
def retire(*, name: str, data: Path) -> None:
    """ログインできないようにする。記録の名前は残る / let someone log in no more; the records keep the name."""
    with on_box(data) as (_, db):
        staff.retire(db, name=name, by=BY, now=datetime.now(UTC))
    show(Text(f"「{name}」の利用を終えました。", f"{name!r} has retired."))
