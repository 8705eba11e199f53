"""A second factor for whoever wants one: a code of six digits from the telephone (TOTP, RFC 6238).

Rules:
1. It is asked for once a code of it was right; beginning or ending it needs the password.
2. A code is worth something once, and for one step of 30 s before and after its own: clocks differ a little.
3. A wrong code counts like a wrong password; the right password alone does not clear the count.
4. A recovery code stands in for a lost telephone, once. An administrator may end a second factor; that is audited.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from datetime import datetime

import pyotp

from edge_agent.errors import AccessError, Text
from edge_agent.services import accounts, lockout, sessions, staff
from edge_agent.services.sessions import Visitor
from edge_agent.store import audit, people, second_factors
from edge_agent.store.database import Database, writing
from edge_agent.store.people import Person
from edge_agent.store.second_factors import SecondFactor

STEPS_OFF = (0, -1, 1)
"""Steps of 30 s by which a telephone's clock may differ from the box's."""
RECOVERY_CODES = 8
ISSUER = "Mamori"


def begin(db: Database, *, name: str, password: str, now: datetime, visitor: Visitor) -> str:
    """Return a new secret that is not asked for yet; raise `AccessError` for a wrong password or if one is on."""
    accounts.prove(db, name=name, password=password, now=now, visitor=visitor)
    secret = pyotp.random_base32()
    with writing(db):
        if second_factors.confirmed(db, name):
            raise AccessError(
                Text("2段階認証はすでに有効です。", "The second factor is on already."),
                Text("新しい端末にするときは、いったん無効にしてください。", "Turn it off first for a new telephone."),
            )
        second_factors.save(db, SecondFactor(name=name, secret=secret))
    return secret


def address_of(secret: str, *, name: str, box: str) -> str:
    """Return what the telephone reads from the picture (``otpauth://``)."""
    return pyotp.TOTP(secret).provisioning_uri(name=f"{name}@{box}", issuer_name=ISSUER)


def confirm(db: Database, *, name: str, code: str, now: datetime) -> tuple[str, ...]:
    """Turn it on with a right code; return the recovery codes, shown this once.

    Raises `AccessError` for a wrong code, or if nothing was begun.
    """
    codes = tuple(accounts.one_time_password() for _ in range(RECOVERY_CODES))
    with writing(db):
        factor = second_factors.find(db, name)
        step = _step_of(factor, code, now) if factor and not factor.confirmed else None
        if factor is None or step is None:
            raise _wrong_code()
        recovery = tuple(_hashed(name, each) for each in codes)
        second_factors.save(db, replace(factor, confirmed=True, last_step=step, recovery=recovery))
        audit.append(db, at=now, actor=name, action="second_factor.on", subject=name)
    return codes


def end(db: Database, *, name: str, password: str, now: datetime, visitor: Visitor) -> None:
    """Turn one's own off; raise `AccessError` for a wrong password."""
    accounts.prove(db, name=name, password=password, now=now, visitor=visitor)
    _forget(db, name=name, by=name, now=now)


def take_away(db: Database, *, name: str, by: str, now: datetime) -> None:
    """Turn off somebody's who has lost telephone and codes; raise `AccessError` for an unknown name."""
    _forget(db, name=staff.find(db, name).name, by=by, now=now)


def log_in(db: Database, token: str, *, code: str, now: datetime, visitor: Visitor) -> tuple[Person, str]:
    """Return the person and the token of a session that holds, for a pending one and its code.

    Raises `AccessError` if the code is wrong, the person is locked, or the pending session has run out.
    """
    lockout.refuse_locked_address(db, visitor.address, now=now)
    fresh, used, locked = "", "", False
    with writing(db):
        person = sessions.owing(db, token, now=now)
        factor = second_factors.find(db, person.name) if person else None
        if person is not None and factor is not None:
            locked = lockout.is_locked(person, now)
            used = "" if locked else _use(db, factor, code, now)
            if used:
                person = lockout.forget(db, person)
                people.end_session(db, sessions.token_hash(token))
                fresh = sessions.begin(db, person, visitor, now=now)
                audit.append(db, at=now, actor=person.name, action=f"second_factor.{used}", subject=person.name)
            elif not locked:
                lockout.note_failure(db, person, visitor.address, now=now)
    if person is None or factor is None:
        raise AccessError(
            Text("時間が過ぎました。", "That took too long."),
            Text("もう一度ログインしてください。", "Log in again."),
        )
    if locked:
        raise lockout.locked_out()
    if not fresh:
        raise _wrong_code()
    return person, fresh


def _use(db: Database, factor: SecondFactor, code: str, now: datetime) -> str:
    """Use up a right code; return what it was, or an empty string for a wrong one."""
    if (step := _step_of(factor, code, now)) is not None:
        second_factors.save(db, replace(factor, last_step=step))
        return "used"
    hashed = _hashed(factor.name, code.strip().lower())
    if any(secrets.compare_digest(hashed, each) for each in factor.recovery):
        second_factors.save(db, replace(factor, recovery=tuple(each for each in factor.recovery if each != hashed)))
        return "recovered"
    return ""


def _step_of(factor: SecondFactor, code: str, now: datetime) -> int | None:
    """Return the step a code belongs to if it is right and newer than the last one used."""
    totp = pyotp.TOTP(factor.secret)
    given = "".join(code.split()).encode()
    current = totp.timecode(now)
    for off in STEPS_OFF:
        step = current + off
        if step > factor.last_step and secrets.compare_digest(totp.generate_otp(step).encode(), given):
            return step
    return None


def _forget(db: Database, *, name: str, by: str, now: datetime) -> None:
    with writing(db):
        if second_factors.find(db, name) is None:
            return
        second_factors.forget(db, name)
        audit.append(db, at=now, actor=by, action="second_factor.off", subject=name)


def _hashed(name: str, code: str) -> str:
    # The codes have 80 bits: nobody tries them all, and a slow hash is not needed.
    return hashlib.sha256(f"{name}\n{code}".encode()).hexdigest()


def _wrong_code() -> AccessError:
    return AccessError(
        Text("コードが違います。", "The code is wrong."),
        Text(
            "認証アプリに今出ている6桁か、リカバリーコードを入力してください。端末の時計も確認してください。",
            "Enter the six digits the app shows now, or a recovery code. See that the telephone's clock is right.",
        ),
    )
