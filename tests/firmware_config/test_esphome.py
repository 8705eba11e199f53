"""The desk lamp's configuration and the agent speak of the same topics, colours and times.

Whether ESPHome takes it was tried with ESPHome itself (`esphome config desk-lamp.yaml`); it is no dependency of ours.
"""

from __future__ import annotations

import re
from pathlib import Path

from edge_agent.domain.lamp import Colour, Pattern
from edge_agent.pipeline.lamps import AGAIN_S
from edge_agent.services import topics
from edge_agent.settings import Box

FOLDER = Path(__file__).parents[2] / "firmware_config/esphome"
LAMP = (FOLDER / "desk-lamp.yaml").read_text(encoding="utf-8")


def test_the_lamp_listens_and_speaks_on_its_own_topics() -> None:
    box = Box(site="site", floor="floor", box="box")
    assert f"base: {topics.base(box)}\n" in LAMP
    named = {topic.replace("${base}", topics.base(box)) for topic in re.findall(r"topic: (\$\S+)", LAMP)}
    assert named == {
        topics.lamp_state(box, "${name}"),
        topics.lamp_status(box, "${name}"),
        topics.status(box),
    }


def test_the_lamp_knows_every_colour_and_pattern() -> None:
    known = set(re.findall(r'colour == "(\w+)"', LAMP))
    # What is no other colour is white.
    assert known == {colour.value for colour in Colour} - {"white"}
    effects = set(re.findall(r"- pulse:\n\s+name: (\w+)", LAMP))
    assert effects == {pattern.value for pattern in Pattern} - {"steady"}


def test_the_lamp_waits_for_news_longer_than_the_agent_is_silent() -> None:
    [patience] = re.findall(r"delay: (\d+)s", LAMP)
    assert int(patience) >= 3 * AGAIN_S


def test_no_flash_comes_three_times_a_second() -> None:
    for half_ms in re.findall(r"update_interval: (\d+)ms", LAMP):
        assert 1000 / (2 * int(half_ms)) < 3


def test_every_secret_has_its_place_in_the_example() -> None:
    example = (FOLDER / "secrets.example.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"!secret (\w+)", LAMP)) == set(re.findall(r"^(\w+):", example, re.MULTILINE))
    assert "!secret mamori_ca" in LAMP
    assert "skip_cert_cn_check: false" in LAMP
