"""Measures lines per core, latency of phrases, presses and pages, and memory, with the shipped models and calls.

`python -m tests.bench buttons` measures one of `lines`, `latency`, `buttons`, `panels`, `parts`, `cost`, `cards` alone.
`capacity` (how many lines a box carries) and `gating` (what voice activity takes from beginnings) have options
(`--help`).
"""

from __future__ import annotations

import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from edge_agent.adapters.audio_file import AudioFile
from edge_agent.adapters.onnx_classifier import OnnxClassifier
from edge_agent.adapters.silero import SileroDetector
from edge_agent.adapters.vosk_model import VoskModel
from edge_agent.pipeline.listen import LineListener
from edge_agent.provision import demo
from edge_agent.services.model_store import ModelKind, find_model
from edge_agent.services.policy_pack import load_policy
from edge_agent.settings import Settings
from tests.bench import capacity
from tests.bench.buttons import press_to_panel
from tests.bench.cards import cards
from tests.bench.cost import cost
from tests.bench.gating import gating
from tests.bench.panels import panels
from tests.bench.parts import parts
from tests.bench.seats import seats
from tests.journeys.floor import RunningFloor, turns

REPEATS = 3
START_S = 12.0


def machine() -> str:
    """Name the processor, its cores and the memory."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = psutil.virtual_memory().total / 2**30
    return f"{model}, {psutil.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def spread(values: list[float], unit: str, digits: int) -> str:
    """Return minimum, median and maximum."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} {unit} (min {low:.{digits}f}, max {high:.{digits}f}, n {len(values)})"


def lines_per_core() -> list[str]:
    """CPU time of the whole pipeline for a two-sided call, as fast as it goes, on one thread."""
    settings = Settings()
    rss = psutil.Process().memory_info().rss
    speech = find_model(settings.models_folder, settings.models.speech, ModelKind.SPEECH)
    harassment = find_model(settings.models_folder, settings.models.harassment, ModelKind.HARASSMENT)
    model = VoskModel(speech.folder, speech.version)
    loaded = psutil.Process().memory_info().rss
    classifier = OnnxClassifier(harassment.folder)
    both = psutil.Process().memory_info().rss
    policy = load_policy(settings.policy_file)
    factors, speech_share = [], []
    for _ in range(REPEATS):
        cpu = audio = spoken = 0.0
        for call in sorted(file.stem for file in demo.calls_folder().glob("*.json")):
            listener = LineListener(
                "bench", model, SileroDetector, classifier, policy, settings, new_id=lambda: "bench",
                whole_source_is_one_call=True,
            )  # fmt: skip
            began = time.process_time()
            seconds = 0.0
            for block in AudioFile(demo.recorded(call)).blocks():
                listener.feed(block)
                seconds += len(block.customer) / 16_000
            listener.finish()
            cpu += time.process_time() - began
            audio += seconds
            spoken += sum(turn["end"] - turn["start"] for turn in turns(call))
        factors.append(cpu / audio)
        speech_share.append(spoken / audio)
    texts = [turn["text"] for file in demo.calls_folder().glob("*.json") for turn in turns(file.stem)]
    times = []
    for _ in range(REPEATS):
        for text in texts:
            began = time.perf_counter()
            classifier.classify(text)
            times.append((time.perf_counter() - began) * 1000)
    times.sort()
    p50, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
    share = statistics.median(speech_share)
    return [
        f"CPU seconds per second of a two-sided line: {spread(factors, 's', 4)}; speech {share:.0%} of the time",
        f"lines per core (1 / that): {1 / statistics.median(factors):.0f}",
        f"classifier, one utterance: p50 {p50:.1f} ms, p95 {p95:.1f} ms (n {len(times)})",
        f"memory: speech model {(loaded - rss) / 2**20:.0f} MiB, classifier {(both - loaded) / 2**20:.0f} MiB",
    ]


def latency() -> list[str]:
    """Run a floor of all demonstration calls at once; measure from the end of a telling phrase to the panel."""
    calls = sorted(file.stem for file in demo.calls_folder().glob("*.json"))
    placed = [demo.Placed(start_s=START_S, seat=number, call=call) for number, call in enumerate(calls, start=1)]
    length = START_S + max(turns(call)[-1]["end"] for call in calls) + 15
    waits, rss, cpu = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        floor = RunningFloor(Path(folder), placed, length_s=length)
        floor.start()
        try:
            panel = floor.panel()
            agent = floor.child("agent")
            agent.cpu_percent()
            while time.time() < floor.epoch + length - 3:
                time.sleep(5)
                rss.append(agent.memory_info().rss / 2**20)
                cpu.append(agent.cpu_percent())
            for _number, call in enumerate(calls, start=1):
                zero = floor.epoch + START_S
                said = [turn for turn in turns(call) if turn["speaker"] == "customer"]
                for at, message in panel.of(seat=f"{calls.index(call) + 1:02}", change="new"):
                    # The utterance that raised it is the last one begun; before its end, the wait is negative.
                    waits.append(at - zero - max(turn["end"] for turn in said if zero + turn["start"] <= at))
                    print(f"  {call}: {message['kind']} {message['types']} after {waits[-1]:.2f} s")  # noqa: T201
            panel.close()
        finally:
            floor.stop()
    return [
        f"end of the phrase to the MQTT panel, {len(calls)} lines at once: {spread(waits, 's', 2)}",
        (
            f"agent with {len(calls)} lines: RSS {max(rss):.0f} MiB at most, "
            f"CPU {statistics.median(cpu):.0f} % of one core (median)"
        ),
    ]


def main() -> None:
    """Measure and print."""
    print(f"machine: {machine()}")  # noqa: T201
    if sys.argv[1:2] == ["capacity"]:
        capacity.main(sys.argv[2:], machine())
        return
    if sys.argv[1:2] == ["gating"]:
        for line in gating(sys.argv[2:]):
            print(f"- {line}")  # noqa: T201
        return
    measured = {
        "lines": lines_per_core,
        "latency": latency,
        "buttons": press_to_panel,
        "panels": panels,
        "seats": seats,
        "parts": parts,
        "cost": cost,
        "gating": gating,
        "cards": cards,
    }
    if not sys.argv[1:]:
        capacity.main([], machine())
    for line in (line for name in sys.argv[1:] or measured for line in measured[name]()):
        print(f"- {line}")  # noqa: T201


if __name__ == "__main__":
    main()
