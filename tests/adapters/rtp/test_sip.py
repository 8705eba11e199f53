"""What SIP tells of calls: whose they are, where their voices go, when they start and end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.adapters.rtp import sdp, sip
from edge_agent.adapters.rtp.codecs import Codec
from edge_agent.adapters.rtp.dialogs import MOST, Dialog, Dialogs
from edge_agent.adapters.rtp.sdp import Media
from tests.adapters.rtp import senders
from tests.properties import QUICK

PBX, PHONE, CALLER = "10.0.0.1", "10.0.0.31", "09012345678"


class Exchange:
    """What a mirror in front of the telephone exchange sees of one phone, extension 201."""

    def __init__(self, *, by_phone: bool = False) -> None:
        self.dialogs = Dialogs(extensions={} if by_phone else {"201": "01"}, phones={PHONE: "01"} if by_phone else {})

    def sees(self, data: bytes, source: str, destination: str) -> str | None:
        message = sip.parse(data, self.dialogs.extensions)
        assert message is not None
        return self.dialogs.note(message, source=source, destination=destination)

    def rings(self, call_id: str = "call-1", *, called: str = "201") -> str | None:
        offer = senders.invite(call_id, caller=CALLER, called=called, media=PBX, sdp_port=5000)
        return self.sees(offer, PBX, PHONE)

    def answered(self, call_id: str = "call-1", *, called: str = "201") -> str | None:
        body = senders.sdp(PHONE, 4000)
        return self.sees(senders.answer(200, call_id, caller=CALLER, called=called, body=body), PHONE, PBX)

    def dialog(self) -> Dialog:
        return next(self.dialogs.of("01"))


def ends(dialog: Dialog) -> list[tuple[str, int] | None]:
    return [(media.address, media.port) if media else None for media in (dialog.phone, dialog.peer)]


@pytest.mark.parametrize("by_phone", [False, True])
def test_a_call_that_comes_in_is_the_seats_from_answer_to_hang_up(*, by_phone: bool) -> None:
    exchange = Exchange(by_phone=by_phone)
    assert exchange.rings() == "01"
    assert not exchange.dialogs.in_call("01")
    assert exchange.answered() == "01"
    assert exchange.dialogs.in_call("01")
    assert ends(exchange.dialog()) == [(PHONE, 4000), (PBX, 5000)]
    assert exchange.sees(senders.request("BYE", "call-1", caller="201", called=CALLER), PHONE, PBX) == "01"
    assert not exchange.dialogs.in_call("01")


@pytest.mark.parametrize("by_phone", [False, True])
def test_a_call_that_the_seat_makes_has_the_same_ends(*, by_phone: bool) -> None:
    exchange = Exchange(by_phone=by_phone)
    offer = senders.invite("call-2", caller="201", called=CALLER, media=PHONE, sdp_port=4000)
    assert exchange.sees(offer, PHONE, PBX) == "01"
    answer = senders.answer(200, "call-2", caller="201", called=CALLER, body=senders.sdp(PBX, 5002))
    exchange.sees(answer, PBX, PHONE)
    assert ends(exchange.dialog()) == [(PHONE, 4000), (PBX, 5002)]
    assert exchange.dialogs.in_call("01")


def test_the_seat_is_known_when_the_caller_dialled_another_number_than_its_own() -> None:
    exchange = Exchange()
    offer = senders.invite("call-1", caller=CALLER, called="0355550000", media=PBX, sdp_port=5000)
    assert exchange.sees(offer.replace(b"sip:0355550000@pbx.example SIP", b"sip:201@10.0.0.31 SIP"), PBX, PHONE) == "01"
    exchange.answered(called="0355550000")
    assert ends(exchange.dialog()) == [(PHONE, 4000), (PBX, 5000)]


def test_a_voice_that_moves_during_the_call_is_followed_whoever_asks() -> None:
    exchange = Exchange()
    exchange.rings()
    exchange.answered()
    from_phone = senders.invite("call-1", caller="201", called=CALLER, media=PHONE, tag="b", sdp_port=4444)
    exchange.sees(from_phone, PHONE, PBX)
    answer = senders.answer(200, "call-1", caller="201", called=CALLER, tag="b", body=senders.sdp(PBX, 5555))
    exchange.sees(answer, PBX, PHONE)
    assert ends(exchange.dialog()) == [(PHONE, 4444), (PBX, 5555)]


def test_a_refused_change_leaves_the_call_as_it_was() -> None:
    exchange = Exchange()
    exchange.rings()
    exchange.answered()
    refusal = senders.answer(488, "call-1", caller=CALLER, called="201")
    assert exchange.sees(refusal, PHONE, PBX) is None
    assert exchange.dialogs.in_call("01")


@pytest.mark.parametrize("ending", ["cancel", "busy"])
def test_a_call_that_nobody_answers_never_was_one(ending: str) -> None:
    exchange = Exchange()
    exchange.rings()
    if ending == "cancel":
        exchange.sees(senders.request("CANCEL", "call-1", caller=CALLER, called="201"), PBX, PHONE)
    else:
        exchange.sees(senders.answer(486, "call-1", caller=CALLER, called="201"), PHONE, PBX)
    assert list(exchange.dialogs.of("01")) == []


def test_calls_of_other_people_are_not_looked_at() -> None:
    exchange = Exchange()
    assert exchange.rings("call-9", called="999") is None
    assert exchange.answered("call-9", called="999") is None
    assert list(exchange.dialogs.of("01")) == []


def test_calls_that_only_ring_neither_pile_up_nor_push_out_the_one_under_way() -> None:
    exchange = Exchange()
    exchange.rings()
    exchange.answered()
    for number in range(2, MOST + 10):
        exchange.rings(f"call-{number}")
    assert len(list(exchange.dialogs.of("01"))) == MOST
    assert exchange.dialogs.in_call("01")


def test_a_callers_number_does_not_leave_the_message() -> None:
    message = sip.parse(senders.invite("call-1", caller=CALLER, called="201", media=PBX), {"201"})
    assert message is not None
    assert (message.caller, message.called) == ("", "201")
    assert CALLER not in repr(message)


def test_a_voice_is_read_with_its_codecs_and_events() -> None:
    text = senders.sdp(
        PHONE,
        4000,
        types="96 0 97 101 18",
        more="a=rtpmap:96 G722/8000\na=rtpmap:97 opus/48000/2\nm=video 5000 RTP/AVP 99\n",
    )
    assert sdp.parse(text) == Media(
        address=PHONE, port=4000, codecs={96: Codec.G722, 0: Codec.PCMU}, events=frozenset({101})
    )


def test_an_encrypted_voice_is_known_as_one() -> None:
    media = sdp.parse(senders.sdp(PHONE, 4000, profile="RTP/SAVP"))
    assert media is not None
    assert media.encrypted


@QUICK
@given(
    st.one_of(
        st.text(max_size=400),
        st.lists(
            st.sampled_from(
                [
                    "m=audio",
                    "m=audio 1 RTP/AVP 0",
                    "c=IN IP4",
                    "c=IN IP4 1",
                    "a=rtpmap:",
                    "a=rtpmap:x y",
                    "m=audio 99999999 x x",
                    "m=audio ²1 RTP/AVP ²",
                ]
            )
        ).map("\n".join),
    )
)
def test_no_description_breaks_the_reading(text: str) -> None:
    media = sdp.parse(text)
    assert media is None or 0 <= media.port <= 65_535


@QUICK
@given(
    st.binary(max_size=600),
    st.sampled_from([b"", b"INVITE sip:201@x SIP/2.0\r\n", b"SIP/2.0 200 OK\r\nCall-ID: x\r\nCSeq:\r\n"]),
)
def test_no_message_breaks_the_reading(data: bytes, head: bytes) -> None:
    message = sip.parse(head + data, {"201"})
    if message is not None:
        Dialogs(extensions={"201": "01"}, phones={}).note(message, source="", destination="")
