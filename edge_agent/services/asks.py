"""What an integration asks, by HTTP or by a message: read, refused with a reason in words, done, and answered.

Rules:
1. Whoever asks is told precisely what is wrong with it, in both languages and in one word for its program.
2. What is refused is never quoted: it may hold a number. A number becomes a handle where it is read, and is let go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge_agent.domain import caller as callers
from edge_agent.domain.announcement import AskEvent, Untold, UntoldError, doubts
from edge_agent.domain.pause import PauseEnd, PauseSource
from edge_agent.errors import AskError, Text
from edge_agent.services import announcements as services
from edge_agent.services import pauses as pausing
from edge_agent.services.announcements import Announcement
from edge_agent.services.buttons import call_at
from edge_agent.services.pauses import Wish
from edge_agent.services.pulse import agent_listens
from edge_agent.settings import Settings
from edge_agent.store import announcements, devices, live, pauses
from edge_agent.store.announcements import Integration
from edge_agent.store.database import Database, reading, writing

LONGEST = 4096
"""Bytes of what may be asked; the longest that makes sense has a few hundred."""
MALFORMED = "malformed"
UNKNOWN_SEAT = "unknown_seat"
NOT_YOUR_SEAT = "not_your_seat"
AS_DESCRIBED = Text("docs/integration.ja.md の形で送ってください。", "Send it as described in docs/integration.md.")
UNTOLD: Mapping[Untold, tuple[Text, Text]] = {
    Untold.ALREADY_STARTED: (
        Text("この席の通話はすでに始まっています。", "A call of this seat is under way already."),
        Text("何もする必要はありません。通話はそのまま続きます。", "Nothing needs to be done; the call goes on."),
    ),
    Untold.NOT_STARTED: (
        Text("この席で知らされた通話はありません。", "No announced call of this seat is under way."),
        Text(
            "「started」が届いているか、通話が沈黙で終わっていないかを確認してください。",
            "See whether “started” arrives, and whether the call has ended by silence.",
        ),
    ),
    Untold.TOO_OLD: (
        Text("5分より前のことは受け付けません。", "It happened more than 5 minutes ago."),
        Text("すぐに送り、時計を合わせてください（NTP）。", "Send it at once, and set the clock (NTP)."),
    ),
    Untold.IN_FUTURE: (
        Text("時刻が30秒以上先です。", "Its time is more than 30 seconds ahead."),
        Text("送る側の時計を合わせてください（NTP）。", "Set the clock of whoever sends it (NTP)."),
    ),
    Untold.OUT_OF_ORDER: (
        Text(
            "この席について、より新しい知らせをすでに受けています。", "Something newer of this seat is known already."
        ),
        Text("起きた順に送ってください。", "Send what happens in its order."),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAsk:
    """A call has started or ended; `caller` is the handle of its number, empty if there is none."""

    event: AskEvent
    caller: str = ""
    at: datetime | None = None


def read_object(body: bytes, *, known: frozenset[str]) -> dict[str, Any]:
    """Return a JSON object that holds none but known keys; raise `AskError` saying what is wrong with it."""
    if len(body) > LONGEST:
        raise malformed(f"{LONGEST}バイトを超えています", f"it has more than {LONGEST} bytes")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise malformed("JSON として読めません", "it is no JSON") from error
    if not isinstance(told, dict):
        raise malformed("JSON のオブジェクトではありません", "it is no JSON object")
    if told.keys() - known:
        names = ", ".join(sorted(known))
        raise malformed(f"使える項目は {names} だけです", f"only {names} may be told")
    return told


def read_event(told: Mapping[str, Any]) -> AskEvent:
    """Return what has happened; raise `AskError` if that is not told."""
    try:
        return AskEvent(str(told.get("event")))
    except ValueError as error:
        raise malformed("event は started か ended です", "event is started or ended") from error


def read_call(told: Mapping[str, Any], *, key: bytes | None) -> CallAsk:
    """Return what is told of a call; raise `AskError` if something is wrong with it.

    `key` is that of the callers' handles; None if the box has none: then nobody has a handle.
    """
    number = told.get("caller")
    if number is not None and (not isinstance(number, str) or len(number) > callers.LONGEST):
        raise malformed(
            f"caller は{callers.LONGEST}字までの文字列です", f"caller is a text of {callers.LONGEST} characters at most"
        )
    handle = callers.handle(number, key) if number and key else ""
    return CallAsk(event=read_event(told), caller=handle, at=read_time(told, "at"))


def read_time(told: Mapping[str, Any], name: str) -> datetime | None:
    """Return a time with its zone, in UTC; None if it is not told; raise `AskError` if it is none."""
    text = told.get(name)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise malformed(
        f"{name} は 2026-11-23T09:00:00+09:00 のような、時差つきの時刻です",
        f"{name} is a time with its zone, such as 2026-11-23T09:00:00+09:00",
    )


def refuse_seat(integration: Integration, seat: str, settings: Settings) -> None:
    """Raise `AskError` for a seat that is not there, or for which an integration may not speak."""
    if seat not in {known.seat for known in settings.seats}:
        raise AskError(
            UNKNOWN_SEAT,
            Text("その席は設定にありません。", "There is no such seat."),
            Text("設定の [[seats]] の seat を使ってください。", "Use the `seat` of [[seats]] in the settings."),
        )
    if not integration.may(seat):
        raise AskError(
            NOT_YOUR_SEAT,
            Text("この連携はその席を扱えません。", "This integration may not speak for that seat."),
            Text(
                "「mamori device add」の --seat で席を加えてください。",
                "Add the seat with --seat of “mamori device add”.",
            ),
        )


def announce(db: Database, ask: CallAsk, *, seat: str, by: str, now: datetime) -> None:
    """Do what is told of a call; raise `AskError` if it changes nothing."""
    told = Announcement(seat=seat, by=by, at=ask.at, caller=ask.caller)
    do = services.start if ask.event is AskEvent.STARTED else services.end
    try:
        do(db, told, now=now)
    except UntoldError as error:
        raise AskError(error.why.value, *UNTOLD[error.why]) from error


def pause(
    main: Database, now_live: Database, event: AskEvent, *, seat: str, by: str, settings: Settings, now: datetime
) -> None:
    """Begin or end a pause of a seat; what is so already is left so."""
    actor = f"integration:{by}"
    with writing(main):
        devices.note(main, by, last_seen=now, connected=False)
    if event is AskEvent.ENDED:
        pausing.end(main, seat, by=actor, why=PauseEnd.ASKED, now=now)
    else:
        wish = Wish(seat=seat, by=actor, source=PauseSource.INTEGRATION, call_id=call_at(now_live, seat))
        pausing.begin(main, wish, privacy=settings.privacy, now=now)


def state(main: Database, now_live: Database, *, seat: str, settings: Settings, now: datetime) -> dict[str, Any]:
    """Return how a seat stands, for whoever announces its calls."""
    listening = agent_listens(settings.run, now=now)
    with reading(main):
        calls, pause = {call.seat: call for call in announcements.everything(main)}, pauses.find(main, seat)
    call, doubted = calls.get(seat), doubts(calls.values())
    with reading(now_live):
        lines = [status for status in live.lines(now_live) if status.seat == seat] if listening else []
    decides = call is not None and call.decides(now=now, hold=settings.calls.announced_hold) and seat not in doubted
    return {
        "seat": seat,
        "listening": listening,
        "line": lines[0].state.value if lines else None,
        "decides": "announcement" if decides else "line",
        "call": call.call_id if call is not None and call.under_way else None,
        "since": call.started_at.isoformat() if call is not None and call.under_way else None,
        "caller": bool(call is not None and call.under_way and call.caller),
        "paused_since": pause.begun_at.isoformat() if pause else None,
        "paused_until": pause.until.isoformat() if pause else None,
        "at": now.isoformat(),
    }


def read_key(file: Path) -> bytes | None:
    """Return the key of the callers' handles, or None if it cannot be read."""
    try:
        return bytes.fromhex(file.read_text(encoding="ascii").strip()) or None
    except (OSError, ValueError):
        return None


def in_words(error: AskError) -> dict[str, object]:
    """Return what is wrong and what to do, as it is answered."""
    return {
        "what": {"ja": error.what.ja, "en": error.what.en},
        "remedy": {"ja": error.remedy.ja, "en": error.remedy.en},
    }


def malformed(ja: str, en: str) -> AskError:
    """Return the refusal of what cannot be read, and why."""
    return AskError(
        MALFORMED, Text(f"送られた内容に誤りがあります: {ja}。", f"What was sent is wrong: {en}."), AS_DESCRIBED
    )
