"""Scripted calls to measure on: who says what, and what a careful supervisor would expect of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from edge_agent.decoders import toml_reader
from edge_agent.domain.call import Speaker
from edge_agent.domain.finding import Label
from edge_agent.errors import QualityError, Text


class CallKind(StrEnum):
    """What a scripted call is."""

    HARASSING = "harassing"
    COMPLAINT = "complaint"
    ORDINARY = "ordinary"
    LIFE_SAFETY = "life_safety"
    RELAY = "relay"
    QUOTES = "quotes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One utterance of a script."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One scripted call.

    Attributes:
        types: types a careful supervisor accepts as right, the main one first; of harassing calls alone.
        register: the customer's manner of speaking, as in docs/annotation.md.
        age: imagined age group, such as ``50s``.
        first: index of the turn by which a criterion is first met; None if none is.
    """

    call_id: str
    kind: CallKind
    types: tuple[Label, ...]
    register: str
    age: str
    first: int | None
    turns: tuple[Turn, ...]


class _Call(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Annotated[str, Meta(pattern=r"^[a-z0-9-]+\Z")]
    kind: CallKind
    register: str
    age: str
    turns: Annotated[tuple[Annotated[str, Meta(pattern=r"^[oc] \S")], ...], Meta(min_length=2)]
    types: tuple[Label, ...] = ()
    severity: str = ""
    first: int | None = None


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    call: tuple[_Call, ...]


_read = toml_reader(_File)


def read_scripts(folder: Path) -> list[Script]:
    """Return the scripted calls of a folder's TOML files.

    Raises:
        QualityError: a file cannot be read, two calls have one name, or what is expected does not fit the turns.
    """
    scripts: list[Script] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            calls = _read(file.read_bytes()).call
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise _error(file, f"読めません: {error}", f"cannot be read: {error}") from error
        for call in calls:
            script = _script(call)
            if any(other.call_id == script.call_id for other in scripts):
                raise _error(file, f"「{call.id}」が2つあります。", f"holds {call.id!r} twice.")
            expects = script.kind in {CallKind.HARASSING, CallKind.LIFE_SAFETY}
            if expects != (script.first is not None) or (script.kind is CallKind.HARASSING) != bool(script.types):
                raise _error(
                    file, f"「{call.id}」の types・first が合いません。", f"{call.id!r}: types or first is wrong."
                )
            if script.first is not None and not _said_by_customer(script, script.first):
                raise _error(
                    file, f"「{call.id}」の first は顧客の発話ではありません。", f"{call.id!r}: first is no customer's."
                )
            scripts.append(script)
    if not scripts:
        raise _error(folder, "通話の台本がありません。", "holds no scripted calls.")
    return scripts


def _script(call: _Call) -> Script:
    speakers = {"c": Speaker.CUSTOMER, "o": Speaker.OPERATOR}
    return Script(
        call_id=call.id,
        kind=call.kind,
        types=call.types,
        register=call.register,
        age=call.age,
        first=call.first,
        turns=tuple(Turn(speaker=speakers[turn[0]], text=turn[2:]) for turn in call.turns),
    )


def _said_by_customer(script: Script, index: int) -> bool:
    return 0 <= index < len(script.turns) and script.turns[index].speaker is Speaker.CUSTOMER


def _error(place: Path, ja: str, en: str) -> QualityError:
    return QualityError(
        Text(f"{place}: {ja}", f"{place}: {en}"),
        Text(
            "該当箇所を直してください。書き方は docs/quality.md にあります。",
            "Correct it there; docs/quality.md explains how.",
        ),
    )
