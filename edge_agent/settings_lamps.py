"""The settings of lamps and signal towers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Lamp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lamp or signal tower: what it is, where it is reached, and which seats it stands for."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
    """For lamps on MQTT also their identity on the broker (`mamori device add NAME --kind lamp`)."""
    kind: Literal["patlite-http", "patlite-mqtt", "esphome"]
    seats: tuple[str, ...] = ()
    """Empty: the whole floor."""
    address: Annotated[str, Meta(pattern=r"^([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])?(:[0-9]{1,5})?\Z")] = ""
    """Host and, if it is not 80, port. For patlite-mqtt optional: whether the tower is there is then looked at."""
    colours: Annotated[str, Meta(pattern=r"^(?!.*(.).*\1)[RYGBC]+\Z")] = "RYGBC"
    """The colours it has: red, yellow (amber), green, blue, clear (white)."""

    @property
    def host(self) -> str:
        """The host of `address`, without brackets."""
        return self.address.rpartition(":")[0].strip("[]") if self._has_port else self.address.strip("[]")

    @property
    def port(self) -> int:
        """The port of `address`, 80 if it names none."""
        return int(self.address.rpartition(":")[2]) if self._has_port else 80

    @property
    def _has_port(self) -> bool:
        _, colon, port = self.address.rpartition(":")
        return bool(colon) and port.isdecimal() and not self.address.endswith("]")


def problem(lamps: tuple[Lamp, ...], seats: frozenset[str]) -> tuple[str, str] | None:
    """Return what contradicts itself, in Japanese and English, or None."""
    for lamp in lamps:
        where = f"lamps[{lamp.name}]"
        if lamp.kind == "patlite-http" and not lamp.host:
            return f"{where} には address が必要です。", f"{where} needs an address."
        for seat in lamp.seats:
            if seat not in seats:
                return (
                    f"{where}.seats の「{seat}」は [[seats]] にありません。",
                    f"{where}.seats names {seat!r}, which is not among [[seats]].",
                )
    return None
