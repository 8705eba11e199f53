// A pause for a card number: said loudly with its time, begun and ended by a button.

import { post, toast } from "./act.js";
import { elapsed, secondsSince } from "./clock.js";
import { given, t } from "./texts.js";

export function pausedNote(view) {
  return view.paused_since ? t("live.paused", { time: elapsed(secondsSince(view.paused_since)) }) : "";
}

export class PauseButton {
  constructor(button) {
    this.button = button;
    this.view = null;
    button.addEventListener("click", () => this.ask());
  }

  show(view) {
    this.view = view;
    this.button.hidden = !given().mayPause || !(view.call_id || view.paused_since);
    // Short: the button must not take the place of what was said.
    this.button.textContent = t(view.paused_since ? "live.pause_end" : "live.pause_short");
    this.button.ariaLabel = t(view.paused_since ? "live.pause_end" : "live.pause_begin");
    this.button.title = t("live.pause_hint");
  }

  async ask() {
    const wish = this.view.paused_since ? "end" : "begin";
    this.button.disabled = true;
    try {
      await post(`/seat/${encodeURIComponent(this.view.seat)}/pause`, { form: { wish } });
    } catch {
      toast(t("live.failed"));
    }
    this.button.disabled = false;
  }
}
