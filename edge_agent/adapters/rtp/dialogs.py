"""Which call is under way at which seat, and where its voices go, as SIP tells.

A dialog belongs to a seat if its first request comes from or goes to the seat's phone, or if one of its parties is the
seat's extension. What the seat's end describes says where the customer's voice goes, the other end where the
operator's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edge_agent.adapters.rtp.sdp import Media
from edge_agent.adapters.rtp.sip import FINAL, SipMessage

MOST = 8
"""Dialogs of a seat remembered; of those not answered the oldest gives way, else the oldest of all."""
SUCCESS = range(200, 300)


@dataclass(slots=True, kw_only=True)
class Dialog:
    """One call at one seat.

    Attributes:
        caller: mark of the party that made the first request.
        outgoing: the seat is that party.
        established: the call has been answered.
        phone: what the seat's phone said of the voice it wants, the customer's.
        peer: what the other end said of the voice it wants, the operator's.
    """

    seat: str
    caller: str
    outgoing: bool
    established: bool = False
    phone: Media | None = None
    peer: Media | None = None


class Dialogs:
    """Calls under way.

    Args:
        extensions: seat of each extension.
        phones: seat of each phone's address.
    """

    def __init__(self, *, extensions: Mapping[str, str], phones: Mapping[str, str]) -> None:
        self.extensions = extensions
        self._phones = phones
        self._dialogs: dict[str, Dialog] = {}
        self._of: dict[str, list[str]] = {seat: [] for seat in (*extensions.values(), *phones.values())}

    def note(self, message: SipMessage, *, source: str, destination: str) -> str | None:
        """Take a message and the addresses between which it went; return the seat whose calls it changed, if any."""
        if message.method == "BYE" or (message.method == "CANCEL" and not message.status):
            return self._forget(message.call_id)
        if message.method not in {"INVITE", "ACK", "PRACK", "UPDATE"}:
            return None
        known = self._dialogs.get(message.call_id)
        if message.method == "INVITE" and message.status >= FINAL and message.status not in SUCCESS:
            # A refused change leaves the call as it was.
            if known is None or known.established:
                return None
            return self._forget(message.call_id)
        dialog = known or self._new(message, source, destination)
        if dialog is None:
            return None
        if message.method == "INVITE" and message.status in SUCCESS:
            dialog.established = True
        if message.media is not None:
            if self._speaks_for_seat(message, message.media, dialog):
                dialog.phone = message.media
            else:
                dialog.peer = message.media
        return dialog.seat

    def of(self, seat: str) -> Iterator[Dialog]:
        """Yield a seat's dialogs, the newest last."""
        return (self._dialogs[call_id] for call_id in self._of.get(seat, ()))

    def in_call(self, seat: str) -> bool:
        """Say whether a call of the seat has been answered."""
        return any(dialog.established for dialog in self.of(seat))

    def forget_answered(self, seat: str) -> None:
        """Forget the answered calls of a seat: it is known otherwise that they are over."""
        for call_id in [call_id for call_id in self._of.get(seat, ()) if self._dialogs[call_id].established]:
            self._forget(call_id)

    def _new(self, message: SipMessage, source: str, destination: str) -> Dialog | None:
        if message.method != "INVITE" or message.status:
            return None
        for seat, outgoing in (
            (self._phones.get(source), True),
            (self._phones.get(destination), False),
            (self.extensions.get(message.caller), True),
            (self.extensions.get(message.called), False),
        ):
            if seat is not None:
                return self._remember(message, Dialog(seat=seat, caller=message.asker, outgoing=outgoing))
        return None

    def _remember(self, message: SipMessage, dialog: Dialog) -> Dialog:
        theirs = self._of[dialog.seat]
        if len(theirs) >= MOST:
            ringing = [call_id for call_id in theirs if not self._dialogs[call_id].established]
            self._forget((ringing or theirs)[0])
        theirs.append(message.call_id)
        self._dialogs[message.call_id] = dialog
        return dialog

    def _forget(self, call_id: str) -> str | None:
        gone = self._dialogs.pop(call_id, None)
        if gone is None:
            return None
        self._of[gone.seat].remove(call_id)
        return gone.seat

    def _speaks_for_seat(self, message: SipMessage, media: Media, dialog: Dialog) -> bool:
        """Say whether it is the seat's end that described its voice."""
        if (seat := self._phones.get(media.address)) is not None:
            return seat == dialog.seat
        by_caller = (message.asker == dialog.caller) == (message.status == 0)
        return by_caller == dialog.outgoing
