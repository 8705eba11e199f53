// The floor page: starts with what the server has put into it, then follows the stream.

import { Alerts } from "./alerts.js";
import { Arranging } from "./arrange.js";
import { setByBox, timeOfDay } from "./clock.js";
import { Seats } from "./seats.js";
import { showBusy, showListening, showState, Stream } from "./stream.js";
import { given, pick, t } from "./texts.js";

const TROUBLES = ["fault", "silent", "untested", "low_battery"];
const PAGES = { lamps: "/lamps/", devices: "/devices/", buttons: "/buttons/" };
const byId = (id) => document.getElementById(id);
const seats = new Seats(byId("seats"));
const alerts = new Alerts({
  open: byId("open"),
  working: byId("working"),
  finished: byId("finished"),
  calm: byId("calm"),
  announce: byId("announce"),
});
const arranging = given().mayArrange
  ? new Arranging({ seats, bar: byId("arranging"), said: byId("arranged"), opener: byId("arrange") })
  : undefined;
seats.onMade = (seat, card) => arranging?.prepare(seat, card);
const title = document.title;

let lampFaults = 0;
let missing = [];
let buttons = {};

function everything({ floor, listening, lampFaults: faults, missing: silent, buttons: troubled, busy }) {
  lampFaults = faults;
  missing = silent;
  buttons = troubled;
  seats.reset(floor.seats, floor.words);
  arranging?.seatsChanged();
  alerts.reset(floor.incidents);
  showListening(listening, t);
  showBusy(busy, pick);
  sumUp();
}

// As many names as fit; the page of devices has them all.
function shortened(names) {
  return names.length > 2 ? `${names.slice(0, 2).join(", ")} +${names.length - 2}` : names.join(", ");
}

// What is wrong with how many, the gravest first.
function troubles() {
  return TROUBLES.filter((trouble) => buttons[trouble])
    .map((trouble) => t(`live.button_trouble.${trouble}`, { count: buttons[trouble] }))
    .join(t("live.summary_and"));
}

function sumUp() {
  const parts = [
    ["alerts", t("live.summary_alerts", { count: alerts.unseen }), alerts.unseen],
    ["calls", t("live.summary_calls", { count: seats.inCall }), 1],
    ["idle", t("live.summary_idle", { count: seats.count("idle") }), 1],
    ["faults", t("live.summary_faults", { count: seats.count("fault") }), seats.count("fault")],
    ["lamps", t("live.summary_lamps", { count: lampFaults }), lampFaults],
    ["devices", t("live.summary_devices", { names: shortened(missing) }), missing.length],
    ["buttons", t("live.summary_buttons", { what: troubles() }), Object.keys(buttons).length],
  ];
  byId("summary").replaceChildren(
    ...parts
      .filter(([, , shown]) => shown)
      .map(([name, text]) => {
        const item = document.createElement("li");
        item.dataset.what = name;
        item.append(name in PAGES ? link(PAGES[name], text) : text);
        return item;
      }),
  );
  document.title = alerts.unseen ? `(${alerts.unseen}) ${title}` : title;
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
    lamps: ({ faults }) => {
      lampFaults = faults;
      sumUp();
    },
    devices: ({ missing: silent }) => {
      missing = silent;
      sumUp();
    },
    busy: ({ busy }) => showBusy(busy, pick),
    buttons: ({ troubles: troubled }) => {
      buttons = troubled;
      sumUp();
    },
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
