"""People administered: roles, groups, unlocking, retiring. Each change is audited in the name of who made it.

Rules:
1. A change of role or groups ends the person's sessions: nobody goes on with a right they have lost.
2. The last administrator can be neither retired nor given another role.
3. Someone who retires keeps their name in the records; it is never given to somebody else.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from edge_agent.domain.roles import Role
from edge_agent.errors import AccessError, Text
from edge_agent.store import audit, people
from edge_agent.store.database import Database, writing
from edge_agent.store.people import Person

NOBODY = "!"
"""A hash no password has."""


def find(db: Database, name: str) -> Person:
    """Return a person who has not retired; raise `AccessError` if there is none."""
    person = people.find(db, name)
    if person is None or person.retired:
        raise AccessError(
            Text(f"「{name}」という人は登録されていません。", f"Nobody is called {name!r}."),
            Text("「mamori people list」で確認してください。", "See “mamori people list”."),
        )
    return person


def change_role(db: Database, *, name: str, role: Role, by: str, now: datetime) -> None:
    """Give someone another role; raise `AccessError` for an unknown name or the last administrator."""
    with writing(db):
        person = find(db, name)
        if person.role is role:
            return
        _keep_an_administrator(db, person)
        people.save(db, replace(person, role=role))
        people.end_sessions_of(db, name)
        detail = {"before": person.role.value, "after": role.value}
        audit.append(db, at=now, actor=by, action="person.role", subject=name, detail=detail)


def change_groups(
    db: Database, *, name: str, groups: Sequence[str], known: Collection[str], by: str, now: datetime
) -> None:
    """Give someone the seats of these groups, none for the whole floor.

    Raises `AccessError` for an unknown name or a group that is not among the `known` ones of the settings.
    """
    wanted = tuple(sorted(set(groups)))
    if strange := [group for group in wanted if group not in known]:
        raise AccessError(
            Text(f"グループ「{strange[0]}」の席はありません。", f"No seat belongs to a group {strange[0]!r}."),
            Text("設定の [[seats]] の group を確認してください。", "See the group of [[seats]] in the settings."),
        )
    with writing(db):
        person = find(db, name)
        if person.groups == wanted:
            return
        people.save(db, replace(person, groups=wanted))
        people.end_sessions_of(db, name)
        detail = {"before": " ".join(person.groups), "after": " ".join(wanted)}
        audit.append(db, at=now, actor=by, action="person.groups", subject=name, detail=detail)


def unlock(db: Database, *, name: str, by: str, now: datetime) -> None:
    """Let someone try again at once; raise `AccessError` for an unknown name."""
    with writing(db):
        people.save(db, replace(find(db, name), failed=0, locked_until=None))
        audit.append(db, at=now, actor=by, action="account.unlocked", subject=name)


def retire(db: Database, *, name: str, by: str, now: datetime) -> None:
    """Let someone log in no more; raise `AccessError` for an unknown name or the last administrator."""
    with writing(db):
        person = find(db, name)
        _keep_an_administrator(db, person)
        people.save(db, replace(person, retired=True, password_hash=NOBODY))
        people.end_sessions_of(db, name)
        audit.append(db, at=now, actor=by, action="person.retired", subject=name)


def present(db: Database) -> list[Person]:
    """Return everybody who has not retired, by name."""
    return [person for person in people.everyone(db) if not person.retired]


def _keep_an_administrator(db: Database, person: Person) -> None:
    others = [each for each in present(db) if each.role is Role.ADMINISTRATOR and each.name != person.name]
    if person.role is Role.ADMINISTRATOR and not others:
        raise AccessError(
            Text("最後の管理者は外せません。", "The last administrator cannot go."),
            Text("先に別の人を管理者にしてください。", "Make somebody else an administrator first."),
        )
