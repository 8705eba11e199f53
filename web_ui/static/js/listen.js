// Listening in on one call, by a button. The words come as the answer to the act itself: leaving the page or the
// network ends it, and nothing begins it again but the button.

import { post, toast } from "./act.js";
import { t } from "./texts.js";

export class Listening {
  constructor(button, words, keep) {
    this.keep = keep;
    this.callId = null;
    this.ending = null;
    this.move(button, words);
  }

  // The page was fetched anew around it: what has been heard goes on in the new place.
  move(button, words) {
    const heard = this.heard ?? new Map();
    this.button = button;
    this.words = words;
    this.heard = heard;
    if (this.on) words.put([...heard.values()], this.keep);
    button.addEventListener("click", () => (this.on ? this.stop() : this.start()));
    this.show();
  }

  get on() {
    return this.ending !== null;
  }

  // The call that can be listened in on; null for none.
  offer(callId) {
    this.callId = callId;
    this.show();
  }

  show() {
    this.button.hidden = !this.callId;
    this.button.textContent = t(this.on ? "live.listen_stop" : "live.listen");
    this.button.title = t("live.listen_hint");
    this.button.setAttribute("aria-pressed", String(this.on));
  }

  async start() {
    const ending = new AbortController();
    this.ending = ending;
    this.heard.clear();
    this.show();
    try {
      const path = `/listen/${encodeURIComponent(this.callId)}`;
      const accept = "text/event-stream, application/json";
      const answer = await post(path, { signal: ending.signal, accept });
      if (answer) await this.read(answer.body.pipeThrough(new TextDecoderStream()).getReader(), ending);
    } catch {
      if (!ending.signal.aborted) toast(t("live.failed"));
    }
    if (this.ending === ending) this.stop();
  }

  // A pause has begun: what was being said is not kept here either.
  dropUnderWay() {
    for (const [sequence, one] of this.heard) if (!one.final) this.heard.delete(sequence);
    this.words.dropUnderWay();
  }

  async read(reader, ending) {
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done || ending.signal.aborted) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) this.take(block);
    }
  }

  take(block) {
    const fields = Object.fromEntries(
      block
        .split("\n")
        .filter((line) => !line.startsWith(":"))
        .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
    );
    if (fields.event !== "words") return;
    const { words } = JSON.parse(fields.data);
    for (const one of words) this.heard.set(one.sequence, one);
    this.words.put(words, this.keep);
  }

  stop() {
    if (!this.on) return;
    this.ending.abort();
    this.ending = null;
    this.heard.clear();
    this.words.keepAlerted();
    this.show();
  }
}
