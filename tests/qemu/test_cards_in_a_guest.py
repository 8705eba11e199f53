"""Sound cards on a real kernel: two of them, one overrun, one whose driver goes and comes back under the reader.

`make test-qemu-cards` runs this in an emulated guest; see `make test-qemu`.
"""

from __future__ import annotations

import queue
import shutil
import sys
from typing import Any

import pytest

from tests.qemu.test_buttons_in_a_guest import FOLDER, QEMU, Guest

pytestmark = [pytest.mark.journey, pytest.mark.qemu]

SLOW = 3.0
"""An emulated processor starts programs so much slower, at least; a box has 3 s to show a loss and 5 s to be back."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Boot the guest once and return all it told."""
    if shutil.which(QEMU) is None:
        pytest.skip(f"{QEMU} is not installed; “make test-qemu-cards” says what it needs")
    if not (FOLDER / "disk").is_file():
        pytest.skip(f"no guest in {FOLDER}; “make test-qemu-cards” makes it")
    guest = Guest(tmp_path_factory.mktemp("guest"), errand="cards")
    try:
        found = guest.hear()
    except queue.Empty:
        pytest.fail("the guest says nothing any more:\n" + "".join(guest.console[-60:]))
    finally:
        guest.stop()
    if "missing" in found:
        pytest.skip(f"the guest has no {found['missing']['what']}")
    return found


def test_two_cards_are_found_by_name_and_heard(told: dict[str, dict[str, Any]]) -> None:
    assert told["cards"]["ids"] == ["mamoritapa", "mamoritapb"]
    assert told["running"]["up"] is not None, told["running"]["faults"]
    assert told["running"]["hz"] == pytest.approx(400, abs=2)


def test_a_reader_that_was_held_up_counts_an_overrun_and_runs_on(told: dict[str, dict[str, Any]]) -> None:
    assert told["overrun"]["seen"] is not None
    assert told["overrun"]["dropped"] >= 1
    assert told["overrun"]["faults"] == 0


def test_a_card_whose_driver_goes_is_a_fault_and_is_heard_when_it_is_back(told: dict[str, dict[str, Any]]) -> None:
    gone, back = told["unbound"], told["bound"]
    sys.stdout.write(f"fault shown after {gone['shown_s']} s, heard {back['back_s']} s after the driver was back\n")
    assert gone["cards"] == ["mamoritapa"]
    assert "mamoritapb" in gone["fault"]
    assert gone["shown_s"] <= 3.0
    assert back["cards"] == ["mamoritapa", "mamoritapb"]
    assert back["back_s"] <= 5.0 * SLOW
    assert back["heard"] is not None
    assert back["losses"] == 1


def test_the_other_card_is_unharmed(told: dict[str, dict[str, Any]]) -> None:
    assert told["unbound"]["meanwhile"] is not None
    assert (told["unharmed"]["faults"], told["unharmed"]["losses"]) == (0, 0)
