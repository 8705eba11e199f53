// Levels of the lines, asked for once a second. Levels of a minute ago look like a line that works: silence is shown.

import { showBusy, showListening, showState } from "./stream.js";
import { given, pick, t } from "./texts.js";

const EVERY_MS = 1000;
const QUIETEST = -120;

let heard = Date.now();

function show({ lines, cards, listening, busy }) {
  showListening(listening, t);
  showBusy(busy, pick);
  document.getElementById("cards-sheet").hidden = cards.length === 0;
  document.getElementById("cards").replaceChildren(...cards.map(cardItem));
  for (const line of lines) {
    const row = document.querySelector(`tr[data-seat="${CSS.escape(line.seat)}"]`);
    if (!row) {
      location.reload();
      return;
    }
    for (const side of ["customer", "operator"]) putSide(row.querySelector(`[data-side=${side}]`), line[side]);
    row.toggleAttribute("data-faulty", line.faulty);
    row.querySelector("[data-good]").hidden = line.told.length > 0 || !measured(line);
    // No call, no sound: nothing is wrong with it.
    row.querySelector("[data-waiting]")?.toggleAttribute("hidden", line.told.length > 0 || measured(line));
    const told = line.told.map(pick);
    const list = row.querySelector("[data-told]");
    if ([...list.children].map((item) => item.textContent).join() !== told.join()) {
      list.replaceChildren(...told.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
    }
    row.querySelector("[data-dropped]").textContent = line.dropped ? t("live.dropped", { count: line.dropped }) : "";
  }
}

function cardItem({ name, running, overruns, losses, dropped }) {
  const lost = t("live.card_lost", { overruns, losses, seconds: (dropped / 10).toFixed(1) });
  const state = t(running ? "live.card_runs" : "live.card_gone");
  return Object.assign(document.createElement("li"), { textContent: `${name}: ${state} – ${lost}` });
}

function measured({ customer, operator }) {
  return customer.peak_dbfs > QUIETEST || operator.peak_dbfs > QUIETEST;
}

function putSide(cell, { level_dbfs, peak_dbfs, speech, clipped }) {
  const silent = level_dbfs <= QUIETEST;
  cell.querySelector("meter").value = level_dbfs;
  cell.querySelector("[data-level]").textContent = silent ? t("live.no_level") : `${Math.round(level_dbfs)} dBFS`;
  cell.querySelector("[data-shares]").textContent = t("live.shares", {
    peak: Math.round(peak_dbfs),
    speech: Math.round(speech * 100),
    clipped: (clipped * 100).toFixed(clipped >= 0.001 ? 1 : 0),
  });
}

async function look() {
  try {
    const answer = await fetch("/lines/now", { headers: { Accept: "application/json" }, cache: "no-store" });
    if (answer.status === 401 || answer.status === 403) {
      location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
      return;
    }
    if (answer.ok) {
      show(await answer.json());
      heard = Date.now();
    }
  } catch {
    // Cut off: said below, and asked again.
  }
  const connected = Date.now() - heard < 3 * EVERY_MS;
  document.body.classList.toggle("stale", !connected);
  showState({ t, connected, heard });
  setTimeout(look, EVERY_MS);
}

show(given());
setTimeout(look, EVERY_MS);
