// Words of a call, both sides, the newest at the bottom; words of an utterance under way are lighter.

import { t } from "./texts.js";

export class Words {
  constructor(box) {
    this.box = box;
    this.shown = new Map();
    this.inner = document.createElement("div");
    box.replaceChildren(this.inner);
  }

  clear() {
    this.shown.clear();
    this.inner.replaceChildren();
  }

  // What was heard by listening in goes; what an alert rests on stays.
  keepAlerted() {
    for (const [sequence, line] of this.shown) {
      if (line.dataset.alerted) continue;
      line.remove();
      this.shown.delete(sequence);
    }
  }

  // What was being said when a pause began is nobody's any more.
  dropUnderWay() {
    for (const [sequence, line] of this.shown) {
      if (!line.classList.contains("partial")) continue;
      line.remove();
      this.shown.delete(sequence);
    }
  }

  get empty() {
    return this.shown.size === 0;
  }

  put(utterances, keep = 60) {
    for (const utterance of utterances) this.putOne(utterance);
    while (this.shown.size > keep) {
      const oldest = Math.min(...this.shown.keys());
      this.shown.get(oldest).remove();
      this.shown.delete(oldest);
    }
  }

  putOne({ sequence, speaker, text, final, telling, alerted }) {
    let line = this.shown.get(sequence);
    if (!line) {
      line = document.createElement("p");
      const who = document.createElement("b");
      line.append(who, document.createElement("span"));
      line.dataset.sequence = sequence;
      this.shown.set(sequence, line);
      const next = [...this.inner.children].find((other) => Number(other.dataset.sequence) > sequence);
      this.inner.insertBefore(line, next ?? null);
    }
    line.dataset.alerted = alerted ? "yes" : "";
    line.className = `said ${speaker}${final ? "" : " partial"}${telling ? " telling" : ""}`;
    line.firstChild.textContent = t(speaker === "customer" ? "live.customer" : "live.operator");
    const spoken = line.lastChild;
    if (telling) {
      const mark = document.createElement("mark");
      mark.textContent = text;
      spoken.replaceChildren(mark);
    } else {
      spoken.textContent = final ? text : `${text}…`;
    }
    line.hidden = text === "";
  }
}
