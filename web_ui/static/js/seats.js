// Seat cards, as they are laid out or in the order of the settings; each is made once and then changed in place.

import { elapsed, secondsSince } from "./clock.js";
import { Listening } from "./listen.js";
import { draw, inOrder } from "./map.js";
import { PauseButton, pausedNote } from "./pause.js";
import { given, pick, t } from "./texts.js";
import { Words } from "./words.js";

const ICONS = document.querySelector("link[rel=icon]").href.replace("mamori.svg", "icons.svg");

export function setIcon(svg, name) {
  svg.querySelector("use").setAttribute("href", `${ICONS}#${name}`);
}

export class Seats {
  constructor(section) {
    this.section = section;
    this.cards = new Map();
    this.arranging = false; // Then they are placed by whoever arranges them.
    this.onMade = () => {};
    this.calls = new Map();
  }

  // Everything anew: what is not in it any more goes.
  reset(seats, words) {
    const names = new Set(seats.map((view) => view.seat));
    for (const [seat, card] of this.cards) {
      if (!names.has(seat)) {
        card.element.remove();
        this.cards.delete(seat);
      }
    }
    for (const card of this.cards.values()) {
      if (card.listening.on) continue;
      card.words.clear();
      card.callId = null;
    }
    for (const view of seats) this.put(view);
    this.place();
    for (const [callId, utterances] of Object.entries(words)) this.putWords(callId, utterances);
  }

  put(view) {
    const card = this.cards.get(view.seat) ?? this.make(view.seat);
    const { element } = card;
    if (card.callId !== view.call_id) {
      this.calls.delete(card.callId);
      card.listening.stop();
      card.words.clear();
      card.callId = view.call_id;
      if (view.call_id) this.calls.set(view.call_id, card);
    }
    // An incident that is finished leaves no words behind.
    if (!view.incident && card.view?.incident && !card.listening.on) card.words.clear();
    const moved = !sameCell(card.view?.cell, view.cell);
    card.view = view;
    if (moved) this.place();
    element.dataset.show = view.show;
    element.dataset.severity = view.severity;
    element.querySelector("[data-label]").textContent = pick(view.label);
    element.querySelector("[data-show-name]").textContent = t(`live.seat.${view.show}`);
    setIcon(element.querySelector(".state svg"), view.show);
    put(element, "[data-sitter]", view.sitter);
    put(element, "[data-note]", note(view));
    put(element, "[data-warnings]", view.warnings ? t("live.warnings", { count: view.warnings }) : "");
    put(element, "[data-dropped]", view.dropped ? t("live.dropped", { count: view.dropped }) : "");
    put(element, "[data-listened]", view.listened ? t("live.listened") : "");
    const troubles = view.troubles.map(pick).join("\n");
    put(element, "[data-troubles]", troubles ? t("live.heard_badly") : "");
    element.querySelector("[data-troubles]").title = troubles;
    element.dataset.paused = view.paused_since ? "yes" : "";
    if (view.paused_since) card.listening.dropUnderWay();
    put(element, "[data-pause-cut]", view.pause_cut && !view.paused_since ? t("live.pause_cut") : "");
    card.pause.show(view);
    card.listening.offer(given().mayListen ? view.call_id : null);
    const go = element.querySelector("[data-go]");
    go.hidden = !view.incident || !given().mayOpen;
    if (view.incident) go.href = `/incidents/${encodeURIComponent(view.incident)}`;
    this.tickOne(card);
  }

  // A seat that is named but has no view yet is placed with it.
  place() {
    if (this.arranging) return;
    const items = [...this.cards.values()].map(({ element, view }) => ({ element, cell: view?.cell }));
    draw(this.section, items);
    inOrder(items).forEach(({ element }, index) => {
      // Only what is not there already: what is moved loses the focus.
      if (this.section.children[index] !== element) this.section.insertBefore(element, this.section.children[index]);
    });
  }

  putWords(callId, utterances) {
    this.calls.get(callId)?.words.put(utterances, 16);
  }

  tick() {
    for (const card of this.cards.values()) this.tickOne(card);
  }

  tickOne({ element, view }) {
    element.querySelector("[data-elapsed]").textContent = view.since ? elapsed(secondsSince(view.since)) : "";
    put(element, "[data-paused-note]", pausedNote(view));
  }

  count(...shown) {
    return [...this.cards.values()].filter((card) => shown.includes(card.view.show)).length;
  }

  get inCall() {
    return [...this.cards.values()].filter((card) => card.view.call_id).length;
  }

  make(seat) {
    const element = document.getElementById("seat").content.firstElementChild.cloneNode(true);
    element.dataset.seat = seat;
    this.section.append(element);
    const box = element.querySelector("[data-words]");
    box.lang = "ja";
    const words = new Words(box);
    const listening = new Listening(element.querySelector("[data-listen]"), words, 16);
    const pause = new PauseButton(element.querySelector("[data-pause]"));
    const handle = element.querySelector("[data-handle]");
    const card = { element, handle, view: null, callId: null, words, listening, pause };
    this.cards.set(seat, card);
    this.onMade(seat, card);
    return card;
  }
}

function sameCell(one, other) {
  return one?.across === other?.across && one?.down === other?.down;
}

function put(element, selector, text) {
  const place = element.querySelector(selector);
  place.textContent = text;
  place.hidden = text === "";
}

function note(view) {
  if (view.fault) return pick(view.fault);
  if (view.show === "idle") return t("live.idle_note");
  if (view.show === "waiting") return t("live.waiting_note");
  if (view.show === "complaint") return t("live.complaint_note");
  return "";
}
