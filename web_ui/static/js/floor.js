// The floor page: starts with what the server has put into it, then follows the stream.

import { Alerts } from "./alerts.js";
import { Arranging } from "./arrange.js";
import { setByBox, timeOfDay } from "./clock.js";
import { inTrouble } from "./equipment.js";
import { Seats } from "./seats.js";
import { Sound } from "./sound.js";
import { showBusy, showListening, showState, Stream } from "./stream.js";
import { given, pick, t } from "./texts.js";

const byId = (id) => document.getElementById(id);
const seats = new Seats(byId("seats"));
const sound = new Sound(byId("sound"));
const alerts = new Alerts({
  open: byId("open"),
  working: byId("working"),
  finished: byId("finished"),
  calm: byId("calm"),
  announce: byId("announce"),
  onNew: (view) => sound.play(view.kind),
});
const arranging = given().mayArrange
  ? new Arranging({ seats, bar: byId("arranging"), said: byId("arranged"), opener: byId("arrange") })
  : undefined;
seats.onMade = (seat, card) => arranging?.prepare(seat, card);
const title = document.title;

let equipment = {};

function everything({ floor, listening, unsent, lampFaults, missing, buttons, busy }) {
  equipment = { unsent, lampFaults, missing, buttons };
  seats.reset(floor.seats, floor.words);
  arranging?.seatsChanged();
  alerts.reset(floor.incidents);
  showListening(listening, t);
  showBusy(busy, pick);
  sumUp();
}

function sumUp() {
  const counted = [
    ["alerts", t("live.summary_alerts", { count: alerts.unseen }), alerts.unseen],
    ["calls", t("live.summary_calls", { count: seats.inCall }), 1],
    ["idle", t("live.summary_idle", { count: seats.count("idle") }), 1],
    ["faults", t("live.summary_faults", { count: seats.count("fault") }), seats.count("fault")],
  ].filter(([, , shown]) => shown);
  byId("summary").replaceChildren(
    ...counted.map(([name, text]) => item(name, text)),
    ...inTrouble(equipment).map(([name, text, page]) => item(name, link(page, text))),
  );
  document.title = alerts.unseen ? `(${alerts.unseen}) ${title}` : title;
}

// Something of the equipment has changed.
function equip(changed) {
  equipment = { ...equipment, ...changed };
  sumUp();
}

function item(name, content) {
  const made = document.createElement("li");
  made.dataset.what = name;
  made.append(content);
  return made;
}

function link(path, text) {
  const made = document.createElement("a");
  made.href = path;
  made.textContent = text;
  return made;
}

function tick() {
  seats.tick();
  alerts.tick();
  byId("clock").textContent = timeOfDay();
}

setByBox(given().now);
everything(given());
tick();
setInterval(tick, 1000);

new Stream({
  seen: given().seen,
  handlers: {
    floor: (all) => {
      everything(all);
      // Cut off meanwhile: somebody may have saved another layout.
      arranging?.told();
    },
    seat: (view) => {
      seats.put(view);
      sumUp();
    },
    words: ({ call_id: callId, words }) => seats.putWords(callId, words),
    incident: (view) => {
      alerts.put(view);
      sumUp();
    },
    unsent: ({ count }) => equip({ unsent: count }),
    lamps: ({ faults }) => equip({ lampFaults: faults }),
    devices: ({ missing }) => equip({ missing }),
    buttons: ({ troubles }) => equip({ buttons: troubles }),
    busy: ({ busy }) => showBusy(busy, pick),
    layout: ({ version }) => arranging?.told(version),
    listening: ({ listening }) => showListening(listening, t),
    beat: ({ now }) => setByBox(now),
  },
  onState: (connected, heard, reason) => {
    showState({ t, connected, heard, reason });
    const link = byId("link");
    link.textContent = t(connected ? "live.connected" : "live.lost");
    link.dataset.connected = connected;
    document.body.classList.toggle("stale", !document.getElementById("cut-off").hidden);
  },
});
