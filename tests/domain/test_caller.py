"""A caller's number in all its forms is one handle, and no number can be read from a handle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.domain.caller import HANDLE, handle, normalised

KEY = b"k" * 32


@pytest.mark.parametrize(
    "told",
    [
        "09012345678",
        "090-1234-5678",
        "090 1234 5678",
        "(090)1234-5678",
        "090.1234.5678",
        "０９０－１２３４－５６７８",
        "090ー1234ー5678",
        "+81 90-1234-5678",
        "+81(0)90-1234-5678",
        "＋８１９０１２３４５６７８",
        "0081 90 1234 5678",
        "010 81 90 1234 5678",
        "819012345678",
        "tel:+81-90-1234-5678",
        "sip:+819012345678@pbx.example;user=phone",
        "  09012345678\n",
    ],
)
def test_one_number_in_all_its_forms_is_one_handle(told: str) -> None:
    assert normalised(told) == "09012345678"
    assert handle(told, KEY) == handle("09012345678", KEY)


@pytest.mark.parametrize(
    ("told", "dialled"),
    [("0312345678", "0312345678"), ("+81312345678", "0312345678"), ("+1 212-555-0100", "+12125550100")],
)
def test_numbers_of_other_kinds_keep_theirs(told: str, dialled: str) -> None:
    assert normalised(told) == dialled


@pytest.mark.parametrize(
    "told",
    [
        "",
        " ",
        "anonymous",
        "非通知",
        "公衆電話",
        "unavailable",
        "sip:anonymous@anonymous.invalid",
        "201",
        "+",
        "0" * 40,
    ],
)
def test_whoever_withholds_a_number_has_no_handle(told: str) -> None:
    assert handle(told, KEY) == ""


def test_a_handle_needs_the_key_of_the_box() -> None:
    assert handle("09012345678", KEY) != handle("09012345678", b"x" * 32)
    assert handle("09012345678", KEY) != handle("09012345679", KEY)
    # A known answer, so that handles stay the same over releases: HMAC-SHA-256 of the dialled number.
    assert handle("09012345678", KEY) == "f0672f5a8cbe5f53"


@given(st.text(max_size=70))
def test_whatever_is_told_gives_a_handle_or_none(told: str) -> None:
    assert len(handle(told, KEY)) in {0, HANDLE}
