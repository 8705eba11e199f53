// An operator's own seat: the server draws it; this keeps it fresh, counts the time and sends presses.

import { ago, elapsed, secondsSince, setByBox, timeOfDay } from "./clock.js";
import { refresh } from "./fresh.js";
import { holdable } from "./hold.js";
import { Presses } from "./presses.js";
import { showState, Stream } from "./stream.js";
import { given, t } from "./texts.js";

const byId = (id) => document.getElementById(id);
const fresh = () => byId("fresh");
const path = `/seat/${encodeURIComponent(given().seat)}`;
let said = fresh().dataset.mood;

const presses = new Presses({ path: `${path}/press`, note: byId("note"), done: () => renew() });

async function renew({ told = false } = {}) {
  const focused = document.activeElement?.id;
  await refresh(() => {
    tick();
    // What had the focus was drawn anew, or is gone: the help button is always there.
    if (focused && document.activeElement === document.body) (byId(focused) ?? byId("help")).focus();
    const mood = fresh().dataset.mood;
    if (mood !== said) byId("announce").textContent = byId("call-title").textContent;
    said = mood;
  }, { told });
}

function tick() {
  for (const time of document.querySelectorAll("[data-since]")) {
    time.querySelector("[data-elapsed]").textContent = elapsed(secondsSince(time.dataset.since));
  }
  for (const time of document.querySelectorAll("[data-ago]")) {
    time.textContent = ago(secondsSince(time.dataset.ago), t);
  }
  byId("clock").textContent = timeOfDay();
}

holdable(byId("help"), {
  longMs: given().longMs,
  holdMs: given().holdMs,
  mayWithdraw: () => fresh().dataset.withdrawable === "yes",
  meant: (gesture) => presses.press(gesture),
  say: (key) => (byId("help-word").textContent = t(key)),
});
byId("help-form").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-press]");
  if (!form) return;
  event.preventDefault();
  presses.press(new FormData(form).get("gesture"));
});

setByBox(given().now);
tick();
setInterval(tick, 1000);

new Stream({
  path: `${path}/events`,
  handlers: {
    moved: () => renew({ told: true }),
    gone: () => location.assign("/seat/"),
    beat: ({ now }) => setByBox(now),
    listening: () => renew(),
  },
  onState: (connected, heard, reason) => {
    showState({ t, connected, heard, reason });
    byId("link").textContent = t(connected ? "live.connected" : "live.lost");
    byId("link").dataset.connected = connected;
    document.body.classList.toggle("stale", !byId("cut-off").hidden);
  },
});
