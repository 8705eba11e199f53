// A short sound for what needs somebody, only where somebody has switched it on: telephones' microphones are open here.

import { t } from "./texts.js";

const KEPT = "mamori-sound"; // Of this browser alone: the screen beside the telephones stays silent.
const NOTES_HZ = { life_safety: [523, 659, 784], help: [784, 784], harassment: [659, 523] };
const NOTE_S = 0.18;
const LOUDNESS = 0.12;

export class Sound {
  constructor(button) {
    this.button = button;
    this.on = localStorage.getItem(KEPT) === "on";
    this.audio = null;
    button.addEventListener("click", () => this.switch());
    // A browser stays silent until somebody has touched its page.
    for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, () => this.wake());
    this.show();
  }

  switch() {
    this.on = !this.on;
    localStorage.setItem(KEPT, this.on ? "on" : "off");
    this.wake();
    // Whoever switches it on hears what it is like.
    this.play("harassment");
    this.show();
  }

  async wake() {
    if (!this.on) return;
    this.audio ??= new AudioContext();
    await this.audio.resume();
    this.show();
  }

  show() {
    const asleep = this.on && this.audio?.state !== "running";
    this.button.hidden = false;
    this.button.setAttribute("aria-pressed", String(this.on));
    this.button.textContent = t(asleep ? "live.sound_asleep" : this.on ? "live.sound_on" : "live.sound_off");
    this.button.title = t("live.sound_hint");
  }

  play(kind) {
    if (!this.on || !this.audio) return;
    const begin = this.audio.currentTime;
    (NOTES_HZ[kind] ?? NOTES_HZ.harassment).forEach((frequency, number) => {
      const tone = this.audio.createOscillator();
      const volume = this.audio.createGain();
      const at = begin + number * NOTE_S;
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(LOUDNESS, at);
      volume.gain.exponentialRampToValueAtTime(0.001, at + NOTE_S);
      tone.connect(volume).connect(this.audio.destination);
      tone.start(at);
      tone.stop(at + NOTE_S);
    });
  }
}
