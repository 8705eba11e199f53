"""A sound card for tests: the demonstration floor's ALSA plug-in playing noise that is known sample by sample."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

AUDIO = Path(__file__).resolve().parent.parent / "firmware_config/audio"
SECONDS = 20
"""Length of a test card's recording."""


@pytest.fixture(scope="session")
def tap_module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the ALSA plug-in; needs make, gcc and libasound2-dev."""
    folder = tmp_path_factory.mktemp("alsa")
    built = subprocess.run(
        ["make", "-C", str(AUDIO), f"OUT={folder}"], capture_output=True, text=True, check=False, timeout=60
    )
    assert built.returncode == 0, f"the ALSA plug-in does not build; is libasound2-dev installed?\n{built.stderr}"
    return folder / "libasound_module_pcm_mamoritap.so"


@dataclass
class TestCard:
    """One card of the test machine; `samples` are its recording, frames by channels."""

    __test__ = False

    name: str
    samples: np.ndarray
    control: Path

    def order(self, word: str) -> None:
        """Let something happen to the card: xrun, gone, stall."""
        part = self.control.with_suffix(".part")
        part.write_text(word)
        part.rename(self.control)

    def mend(self) -> None:
        """Put the card back."""
        self.control.unlink(missing_ok=True)


@dataclass
class Cards:
    """The test machine's sound cards."""

    folder: Path
    module: Path
    blocks: list[str] = field(default_factory=list)

    @property
    def config(self) -> Path:
        """The ALSA configuration that names them."""
        return self.folder / "asound.conf"

    def add(self, name: str, *, channels: int, rate: int, options: str = "loop yes") -> TestCard:
        """Plug a card in."""
        noise = np.random.default_rng(len(self.blocks)).integers(-8000, 8000, (SECONDS * rate, channels), np.int16)
        recording, control = self.folder / f"{name}.raw", self.folder / f"{name}.ctl"
        noise.tofile(recording)
        self.blocks.append(
            f'pcm.{name} {{ type mamoritap infile "{recording}" channels {channels} rate {rate} '
            f'ctl "{control}" {options} }}'
        )
        head = f'</usr/share/alsa/alsa.conf>\npcm_type.mamoritap {{ lib "{self.module}" }}\n'
        self.config.write_text(head + "\n".join(self.blocks) + "\n")
        return TestCard(name=name, samples=noise, control=control)


@pytest.fixture
def cards(tap_module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cards:
    """Give the test a machine without sound cards, to which it adds its own."""
    machine = Cards(folder=tmp_path, module=tap_module)
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(machine.config))
    return machine


Eventually = Callable[[Callable[[], bool], float], float]


@pytest.fixture
def eventually() -> Eventually:
    """Give a wait: until something holds, for so many seconds at most; it returns how long it took."""

    def wait(holds: Callable[[], bool], limit_s: float) -> float:
        began = time.monotonic()
        while not holds():
            assert time.monotonic() - began < limit_s, "did not happen in time"
            time.sleep(0.02)
        return time.monotonic() - began

    return wait
