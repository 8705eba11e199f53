"""Settings of calls that a telephone network mirrors to the box."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

PRIVILEGED = 1024
"""Ports below it are for programs with privileges."""
OptionalPort = Annotated[int, Meta(ge=0, le=65535)]


class Rtp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is common to all seats whose calls come over the network."""

    interface: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{0,15}\Z")] = ""
    """Network interface that gets the mirrored traffic (SPAN); empty: none."""
    address: str = "127.0.0.1"
    """Where `customer_port` and `operator_port` of the seats are listened on."""
    sip_ports: tuple[Annotated[int, Meta(ge=1, le=65535)], ...] = (5060,)
    """UDP ports on which SIP is looked for on the mirror."""
    delay_ms: Annotated[int, Meta(ge=20, le=500)] = 80
    """How long a voice waits for packets that are on their way; later ones count as lost."""
    event_type: Annotated[int, Meta(ge=96, le=127)] = 101
    """Payload type of pressed keys where no SIP tells it."""
    no_audio_s: Annotated[int, Meta(ge=3, le=600)] = 10
    """A call so long without one of its voices is a fault of the line."""


class SeatRtp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a seat's voices are known on the network: by phone and extension on the mirror, or by ports of the box."""

    phone: str = ""
    """IP address of the seat's phone: what it sends is the operator's voice, what it gets the customer's."""
    extension: Annotated[str, Meta(pattern=r"^[A-Za-z0-9+_.-]{0,64}\Z")] = ""
    """The seat's user name in SIP."""
    customer_port: OptionalPort = 0
    """UDP port of this box to which the customer's voice is sent; 0: none."""
    operator_port: OptionalPort = 0
    """The same for the operator's voice. One port for both: they are told apart by `phone` or `first`."""
    first: Literal["", "customer", "operator"] = ""
    """On one port for both, without `phone`: whose stream comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatOnNetwork:
    """A seat whose calls come over the network."""

    seat: str
    source: SeatRtp


def problem(rtp: Rtp, seats: list[SeatOnNetwork]) -> tuple[str, str] | None:
    """Return what is contradictory in Japanese and English, or None."""
    if not _is_address(rtp.address):
        return "rtp.address は IP アドレスではありません。", "rtp.address is no IP address."
    taken: dict[int | str, str] = {}
    for seat in seats:
        where, source = f"seats[{seat.seat}].rtp", seat.source
        if wrong := _problem_of(source, where, mirrored=bool(rtp.interface)):
            return wrong
        ports: set[int | str] = {source.customer_port, source.operator_port}
        for name in (ports | {source.phone, source.extension}) - {0, ""}:
            if other := taken.get(name):
                return (
                    f"{where} の {name} は席 {other} でも使われています。",
                    f"{where}: {name} is already used by seat {other}.",
                )
            taken[name] = seat.seat
    return None


def _problem_of(source: SeatRtp, where: str, *, mirrored: bool) -> tuple[str, str] | None:
    ports = {source.customer_port, source.operator_port} - {0}
    if not ports and not ((source.phone or source.extension) and mirrored):
        return (
            f"{where} には phone か extension（と [rtp] interface）、または2つのポートが必要です。",
            f"{where} needs phone or extension (with [rtp] interface), or customer_port and operator_port.",
        )
    if source.phone and not _is_address(source.phone):
        return f"{where}.phone は IP アドレスではありません。", f"{where}.phone is no IP address."
    if source.customer_port == source.operator_port and ports and not (source.phone or source.first):
        return (
            f"{where}: 1つのポートで受けるときは phone か first が必要です。",
            f"{where}: one port for both voices needs phone or first.",
        )
    for port in ports:
        if port < PRIVILEGED:
            return f"{where} のポート {port} は使えません（1024以上）。", f"{where}: port {port} is below 1024."
    return None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
