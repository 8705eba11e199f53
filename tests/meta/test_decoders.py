"""What is read into types of ours is read by readers made when modules are loaded: two first readings at once crash."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from edge_agent.decoders import json_reader, toml_reader

TOP = Path(__file__).parents[2]
READS = re.compile(r"msgspec\.(?:json|toml|yaml|msgpack)\.decode\(.*\btype=|msgspec\.convert\(")
AT_ONCE = """
import sys, threading
sys.setswitchinterval(1e-6)
from edge_agent.store import incidents
record, begin = sys.stdin.buffer.read(), threading.Barrier(8)
def read():
    begin.wait()
    incidents._incident(record)
threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


class Kept(msgspec.Struct, forbid_unknown_fields=True):
    """Something that is kept."""

    name: str


def test_no_module_reads_into_a_type_without_a_reader_made_beforehand() -> None:
    modules = [path for folder in ("edge_agent", "web_ui") for path in (TOP / folder).rglob("*.py")]
    assert len(modules) > 200
    found = [str(path.relative_to(TOP)) for path in modules if READS.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_a_reader_says_what_is_wrong() -> None:
    assert json_reader(Kept)('{"name": "a"}') == toml_reader(Kept)('name = "a"') == Kept(name="a")
    for read, text in ((json_reader(Kept), '{"name": 1}'), (toml_reader(Kept), "name = 1")):
        with pytest.raises(msgspec.ValidationError, match="name"):
            read(text)


def test_the_first_incidents_may_be_read_by_many_threads_at_once() -> None:
    from tests.builders import an_incident  # noqa: PLC0415 - beside the process that reads it

    for _ in range(3):
        subprocess.run(
            [sys.executable, "-c", AT_ONCE], input=msgspec.json.encode(an_incident()), cwd=TOP, check=True, timeout=60
        )
