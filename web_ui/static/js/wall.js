// The floor on the wall: every seat as large as it can be, what needs somebody below, and a loss nobody overlooks.

import { ago, elapsed, secondsSince, setByBox, timeOfDay } from "./clock.js";
import { inTrouble } from "./equipment.js";
import { draw, inOrder } from "./map.js";
import { pausedNote } from "./pause.js";
import { setIcon } from "./seats.js";
import { showBusy, showListening, showState, Stream } from "./stream.js";
import { given, pick, t } from "./texts.js";

const NEEDS_SHOWN = 4;
const UNFINISHED = ["open", "acknowledged", "taken"];

const byId = (id) => document.getElementById(id);
const tiles = new Map();
let incidents = new Map();
let equipment = {};

function everything({ floor, listening, unsent, lampFaults, missing, buttons, busy }) {
  const seats = new Set(floor.seats.map((view) => view.seat));
  for (const [seat, { element }] of tiles) {
    if (seats.has(seat)) continue;
    element.remove();
    tiles.delete(seat);
  }
  floor.seats.forEach(putSeat);
  place();
  incidents = new Map(floor.incidents.map((view) => [view.incident, view]));
  showNeeds();
  equip({ unsent, lampFaults, missing, buttons });
  showListening(listening, t);
  showBusy(busy, pick);
}

function equip(changed) {
  equipment = { ...equipment, ...changed };
  const wrong = inTrouble(equipment).map(([name, text]) => {
    const line = document.createElement("li");
    line.dataset.what = name;
    line.textContent = text;
    return line;
  });
  byId("equipment").replaceChildren(...wrong);
  byId("equipment").hidden = wrong.length === 0;
}

function putSeat(view) {
  const tile = tiles.get(view.seat) ?? makeTile(view.seat);
  const before = tile.view;
  tile.view = view;
  if (JSON.stringify(before?.cell) !== JSON.stringify(view.cell)) place();
  const { element } = tile;
  element.dataset.show = view.show;
  element.querySelector("[data-label]").textContent = pick(view.label);
  element.querySelector("[data-show-name]").textContent = t(`live.seat.${view.show}`);
  setIcon(element.querySelector("svg"), view.show);
  put(element, "[data-warnings]", view.warnings ? t("live.warnings", { count: view.warnings }) : "");
  put(element, "[data-listened]", view.listened ? t("live.listened") : "");
  tickTile(tile);
}

function makeTile(seat) {
  const element = byId("tile").content.firstElementChild.cloneNode(true);
  element.dataset.seat = seat;
  byId("tiles").append(element);
  const tile = { element, view: null };
  tiles.set(seat, tile);
  byId("tiles").style.setProperty("--many", Math.ceil(Math.sqrt((tiles.size * innerWidth) / innerHeight)));
  return tile;
}

function place() {
  const items = [...tiles.values()].map(({ element, view }) => ({ element, cell: view?.cell }));
  draw(byId("tiles"), items);
  byId("tiles").append(...inOrder(items).map(({ element }) => element));
}

function tickTile({ element, view }) {
  element.querySelector("[data-elapsed]").textContent = view.since ? elapsed(secondsSince(view.since)) : "";
  put(element, "[data-paused-note]", pausedNote(view));
}

function showNeeds() {
  const unfinished = [...incidents.values()].filter((view) => UNFINISHED.includes(view.state));
  unfinished.sort((a, b) => compare(a.urgency, b.urgency));
  const unseen = unfinished.filter((view) => view.state === "open").length;
  byId("count").textContent = t("live.summary_alerts", { count: unseen });
  byId("count").dataset.calling = unseen > 0;
  byId("needs").replaceChildren(...unfinished.slice(0, NEEDS_SHOWN).map(need));
  tickNeeds();
}

function need(view) {
  const line = byId("need").content.firstElementChild.cloneNode(true);
  line.dataset.kind = view.kind;
  line.dataset.state = view.state;
  setIcon(line.querySelector("svg"), view.kind === "harassment" ? "suspected" : view.kind);
  line.querySelector("[data-seat]").textContent = pick(view.seat_label);
  line.querySelector("[data-title]").textContent = pick(view.title);
  line.querySelector("[data-state]").textContent = t(`live.incident.${view.state}`);
  line.querySelector("[data-ago]").dataset.ago = view.opened_at;
  return line;
}

// The lines themselves stay: drawn anew while cut off, they would lose their shapes.
function tickNeeds() {
  for (const time of byId("needs").querySelectorAll("[data-ago]")) {
    time.textContent = ago(secondsSince(time.dataset.ago), t);
  }
}

function put(element, selector, text) {
  const place = element.querySelector(selector);
  place.textContent = text;
  place.hidden = text === "";
}

function compare(a, b) {
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return a[i] - b[i];
  return 0;
}

function tick() {
  tiles.forEach(tickTile);
  tickNeeds();
  byId("clock").textContent = timeOfDay();
}

setByBox(given().now);
everything(given());
tick();
setInterval(tick, 1000);

new Stream({
  seen: given().seen,
  words: false,
  handlers: {
    floor: everything,
    seat: putSeat,
    incident: (view) => {
      incidents.set(view.incident, view);
      showNeeds();
    },
    unsent: ({ count }) => equip({ unsent: count }),
    lamps: ({ faults }) => equip({ lampFaults: faults }),
    devices: ({ missing }) => equip({ missing }),
    buttons: ({ troubles }) => equip({ buttons: troubles }),
    busy: ({ busy }) => showBusy(busy, pick),
    listening: ({ listening }) => showListening(listening, t),
    beat: ({ now }) => setByBox(now),
  },
  onState: (connected, heard, reason) => {
    showState({ t, connected, heard, reason });
    byId("link").textContent = t(connected ? "live.connected" : "live.lost");
    byId("link").dataset.connected = connected;
    document.body.classList.toggle("stale", !byId("cut-off").hidden);
  },
});
