// Presses on their way to the box. Each has a number of its own, is kept for as long as this page is, and is sent
// again until the box has answered: the same number twice is one press.

import { toast } from "./act.js";
import { given, t } from "./texts.js";

const AGAIN_MS = 1500;
const NO_SESSION = [401, 403];

export class Presses {
  constructor({ path, note, done }) {
    this.path = path;
    this.note = note;
    this.done = done;
    this.key = `presses:${path}`;
    this.waiting = JSON.parse(sessionStorage.getItem(this.key) ?? "[]");
    this.sending = false;
    addEventListener("online", () => this.send());
    this.send();
  }

  press(gesture) {
    const id = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    this.waiting.push({ gesture, id });
    this.keep();
    this.say("live.own.sending");
    this.send();
  }

  keep() {
    sessionStorage.setItem(this.key, JSON.stringify(this.waiting));
  }

  say(key) {
    this.note.textContent = t(key);
    this.note.dataset.state = key.split(".").pop();
  }

  // One after the other, in the order they were meant.
  async send() {
    if (this.sending || !this.waiting.length) return;
    this.sending = true;
    clearTimeout(this.again);
    try {
      while (this.waiting.length) {
        if (!(await this.sendOne(this.waiting[0]))) break;
        this.waiting.shift();
        this.keep();
      }
    } catch {
      this.say("live.own.unsent");
    }
    this.sending = false;
    if (this.waiting.length) this.again = setTimeout(() => this.send(), AGAIN_MS);
    else this.done();
  }

  // Returns whether the box has answered for good.
  async sendOne({ gesture, id }) {
    const token = document.querySelector("meta[name=csrf-token]").content;
    const answer = await fetch(this.path, {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRFToken": token },
      body: new URLSearchParams({ gesture, press_id: id }),
    });
    if (answer.ok) {
      const { effect } = await answer.json();
      this.note.textContent = given().pressed[effect];
      this.note.dataset.state = effect;
      return true;
    }
    if (NO_SESSION.includes(answer.status)) {
      location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
      return false;
    }
    if (answer.status >= 500) {
      this.say("live.own.unsent");
      return false;
    }
    const { what, remedy } = await answer.json();
    toast(`${what} ${remedy}`);
    this.note.textContent = "";
    return true;
  }
}
