// The live stream. A page that shows yesterday's calm is worse than none: silence is noticed and shown.

import { clockOf, noteContact } from "./contact.js";

const SILENCE_MS = 12000; // The box sends a sign of life every 5 s.
const RETRY_MS = 2000;
const BACK_MS = 5000;
let hideBack;

export class Stream {
  // `handlers`: a function for each event name; `onState(connected, lastHeard, reason)` is told every second, with
  // what the box said of it if it is there and refuses.
  // Without `words` none are sent, whoever looks.
  constructor({ seen, handlers, onState, words = true, path = "/events" }) {
    this.path = path;
    this.seen = seen;
    this.words = words;
    this.handlers = handlers;
    this.onState = onState;
    this.heard = Date.now();
    this.connected = false;
    this.reason = "";
    this.open();
    setInterval(() => this.watch(), 1000);
    addEventListener("offline", () => this.lose());
    addEventListener("online", () => this.open());
  }

  open() {
    this.source?.close();
    clearTimeout(this.again);
    const query = new URLSearchParams();
    if (this.seen) query.set("after", this.seen);
    if (!this.words) query.set("words", "none");
    this.source = new EventSource(`${this.path}?${query}`);
    this.source.onopen = () => this.note(true);
    this.source.onerror = () => this.lose();
    for (const [name, handle] of Object.entries(this.handlers)) {
      this.source.addEventListener(name, (event) => {
        if (event.lastEventId) this.seen = event.lastEventId;
        this.note(true);
        handle(JSON.parse(event.data));
      });
    }
  }

  note(connected) {
    if (connected) {
      this.heard = Date.now();
      this.reason = "";
      noteContact(this.heard);
    }
    if (connected !== this.connected) {
      this.connected = connected;
      this.onState(connected, this.heard, this.reason);
    }
  }

  watch() {
    if (this.connected && Date.now() - this.heard > SILENCE_MS) this.lose();
    this.onState(this.connected, this.heard, this.reason);
  }

  lose() {
    this.note(false);
    this.source.close();
    clearTimeout(this.again);
    this.again = setTimeout(() => this.retry(), RETRY_MS);
  }

  async retry() {
    try {
      const answer = await fetch("/alive", { headers: { Accept: "application/json" }, cache: "no-store" });
      if (answer.status === 401 || answer.status === 403) {
        location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
        return;
      }
      this.reason = answer.status === 503 ? reasonIn(await answer.json()) : "";
    } catch {
      // Still cut off: opening fails the same way and comes back here.
    }
    this.open();
  }
}

function reasonIn({ what, remedy }) {
  return ` ${what}${remedy}`;
}

// The banner every live page has.
export function showState({ t, connected, heard, reason }) {
  const banner = document.getElementById("cut-off");
  if (connected) {
    if (!banner.hidden) showBack(t);
    banner.hidden = true;
    return;
  }
  document.getElementById("back").hidden = true;
  const seconds = Math.round((Date.now() - heard) / 1000);
  // The first second of a page is no loss.
  if (seconds < 2 && banner.hidden) return;
  const strong = document.createElement("strong");
  strong.textContent = t("live.lost");
  banner.replaceChildren(strong, ` ${t("live.lost_detail", { seconds, time: clockOf(heard) })}${reason ?? ""}`);
  banner.hidden = false;
}

// Whoever saw it lost sees it come back, for a while.
function showBack(t) {
  const line = document.getElementById("back");
  line.textContent = t("live.back");
  line.hidden = false;
  clearTimeout(hideBack);
  hideBack = setTimeout(() => (line.hidden = true), BACK_MS);
}

export function showListening(listening, t) {
  const banner = document.getElementById("deaf");
  const strong = document.createElement("strong");
  strong.textContent = t("live.deaf");
  banner.replaceChildren(strong, ` ${t("live.deaf_detail")}`);
  banner.hidden = listening;
}

// What the box gives up because it cannot keep up with its lines; null: nothing.
export function showBusy(busy, pick) {
  const banner = document.getElementById("busy");
  const strong = document.createElement("strong");
  strong.textContent = pick(busy?.what);
  banner.replaceChildren(strong, pick(busy?.remedy));
  banner.hidden = !busy;
}
