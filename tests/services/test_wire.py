"""The table of messages, the published schemas and the AsyncAPI document say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from edge_agent.domain.alert import AlertKind
from edge_agent.services import topics, wire
from edge_agent.services.wire import KINDS, Envelope, MessageKind
from tests.builders import BOX, START, an_alert, an_incident
from tests.messages import validator, wrong

DOCS = Path(__file__).parents[2] / "docs"


def asyncapi() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8"))
    return document


def example(kind: MessageKind) -> str:
    base = f"{topics.base(BOX)}/" if kind.own else ""
    return base + kind.topic.replace("{", "").replace("}", "")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_has_a_schema_and_is_found_by_its_topic_alone(kind: MessageKind) -> None:
    validator(kind.schema_name)
    assert [other.name for other in KINDS if other.pattern.fullmatch(example(kind))] == [kind.name]
    assert wire.find(example(kind)) == wire.Found(kind=kind, parts=wire.find(example(kind)).parts)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_asyncapi_document_describes_every_kind_as_it_is_sent(kind: MessageKind) -> None:
    document = asyncapi()
    channel = document["channels"][kind.name]
    assert channel["address"] == ("mamori/v1/{site}/{floor}/{box}/" if kind.own else "") + kind.topic
    (operation,) = [o for o in document["operations"].values() if o["channel"]["$ref"] == f"#/channels/{kind.name}"]
    mqtt = operation["bindings"]["mqtt"]
    assert (mqtt["qos"], mqtt["retain"], mqtt.get("messageExpiryInterval")) == (1, kind.retained, kind.expiry_s)
    payload = document["components"]["messages"][kind.name]["payload"]["schema"]["$ref"]
    assert (DOCS / payload).resolve() == DOCS / f"mqtt/{kind.schema_name}.schema.json"


def test_the_asyncapi_document_and_the_folder_of_schemas_hold_nothing_else() -> None:
    names = {kind.name for kind in KINDS}
    assert set(asyncapi()["channels"]) == names
    shapes = {kind.schema_name for kind in KINDS}
    assert {file.name.removesuffix(".schema.json") for file in (DOCS / "mqtt").iterdir()} == shapes


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = asyncapi()
    for reference in _references(document):
        if reference.startswith("./"):
            assert (DOCS / reference).is_file()
            continue
        there: Any = document
        for part in reference.removeprefix("#/").split("/"):
            there = there[part]


def _references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [found for each in part for found in _references(each)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if "$ref" in part else []
    return own + [found for each in part.values() for found in _references(each)]


def test_the_messages_of_an_alert_are_as_described_and_its_words_come_apart() -> None:
    alert = an_alert(telling=(((0, 3),),))
    told = topics.alert_messages(BOX, alert, an_incident(alert=alert), now=START)
    assert [problem for topic, message in told for problem in wrong(topic, json.dumps(message))] == []
    (_, spoken), (topic, words) = told
    assert "ただじゃおかない" not in json.dumps(spoken, ensure_ascii=False)
    assert topic == f"{topics.base(BOX)}/words/alert-1"
    assert (words["quotes"], words["telling"]) == (["ただじゃおかないぞ"], [[[0, 3]]])


def test_an_alert_without_words_has_no_message_of_words() -> None:
    alert = an_alert(kind=AlertKind.HELP, quotes=(), types=())
    assert len(topics.alert_messages(BOX, alert, an_incident(alert=alert), now=START)) == 1


def test_what_follows_from_an_alert_has_its_trace() -> None:
    for topic in (topics.alert(BOX, "a1"), topics.words(BOX, "a1"), topics.receipt(BOX, "a1", "panel-1")):
        assert wire.envelope(topic, "{}").trace == "a1"


def test_a_command_and_its_result_have_one_trace() -> None:
    command = wire.envelope(topics.command(BOX, "panel-1", "show-test"), '{"id":"c1"}')
    assert command == Envelope(schema="1", trace="c1", expiry_s=60)
    assert wire.envelope(topics.result(BOX, "c1", "panel-1"), "{}").trace == "c1"


@pytest.mark.parametrize("name", ["alert", "words", "escalation"])
def test_what_is_told_again_to_one_device_looks_the_same_and_does_not_wait_for_it(name: str) -> None:
    topic = topics.to_one(f"{topics.base(BOX)}/{name}/a1", "panel-1")
    found = wire.find(topic)
    assert found is not None
    assert (found.kind.name, found.kind.schema_name) == (f"{name}-again", name)
    assert wire.envelope(topic, "{}") == Envelope(schema="1", trace="a1", expiry_s=60)


def test_two_states_have_two_traces() -> None:
    assert wire.envelope(topics.status(BOX), "{}").trace != wire.envelope(topics.status(BOX), "{}").trace


def test_alerts_and_receipts_never_expire_and_words_do() -> None:
    assert wire.envelope(topics.alert(BOX, "a1"), "{}").expiry_s is None
    assert wire.envelope(topics.receipt(BOX, "a1", "panel-1"), "{}").expiry_s is None
    assert wire.envelope(topics.words(BOX, "a1"), "{}").expiry_s == 600


@pytest.mark.parametrize("topic", ["mamori/v1/tokyo/f1/box1", "mamori/v1/tokyo/f1/box1/alert/a1/panel-1/more", "t/1"])
def test_other_topics_are_none_of_ours(topic: str) -> None:
    assert wire.find(topic) is None
    assert wrong(topic, "{}") == [f"{topic}: nobody has described this topic"]
