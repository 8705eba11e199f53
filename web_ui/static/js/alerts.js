// What needs somebody, the most urgent first; then what somebody deals with; then what is over.

import { act } from "./act.js";
import { ago, secondsSince } from "./clock.js";
import { setIcon } from "./seats.js";
import { given, pick, t } from "./texts.js";

const FINISHED_SHOWN = 5;
const WORKING = ["acknowledged", "taken"];

export class Alerts {
  constructor({ open, working, finished, calm, announce, onNew }) {
    Object.assign(this, { open, working, finished, calm, announce, onNew });
    this.views = new Map();
    this.cards = new Map();
    open.addEventListener("click", (event) => this.press(event));
    working.addEventListener("click", (event) => this.press(event));
  }

  reset(views) {
    this.views = new Map(views.map((view) => [view.incident, view]));
    this.draw();
  }

  put(view) {
    const before = this.views.get(view.incident);
    this.views.set(view.incident, view);
    this.draw();
    if (view.state === "open" && before?.state !== "open") this.say(view, "live.announce");
    else if (isForMe(view) && !isForMe(before)) this.say(view, "live.announce_handed");
  }

  get unseen() {
    return [...this.views.values()].filter((view) => view.state === "open").length;
  }

  draw() {
    const all = [...this.views.values()].sort((a, b) => compare(a.urgency, b.urgency));
    // Whoever is asked by name sees it first: nobody else will take it.
    const open = [...all.filter(isForMe), ...all.filter((view) => view.state === "open")];
    const working = all.filter((view) => WORKING.includes(view.state) && !isForMe(view));
    const over = all.filter((view) => !["open", ...WORKING].includes(view.state));
    over.sort((a, b) => Date.parse(b.opened_at) - Date.parse(a.opened_at));
    this.arrange(this.open, open);
    this.arrange(this.working, working);
    for (const [incident, card] of this.cards) {
      if (!open.concat(working).some((view) => view.incident === incident)) {
        card.remove();
        this.cards.delete(incident);
      }
    }
    this.finished.replaceChildren(...over.slice(0, FINISHED_SHOWN).map(finishedLine));
    this.calm.hidden = open.length > 0;
    this.working.parentElement.hidden = working.length === 0;
    this.finished.parentElement.hidden = over.length === 0;
    this.tick();
  }

  // Moves a card only when its place has changed, so that no button slips away under a finger.
  arrange(list, views) {
    views.forEach((view, place) => {
      const card = this.card(view);
      if (list.children[place] !== card) list.insertBefore(card, list.children[place] ?? null);
    });
  }

  card(view) {
    let card = this.cards.get(view.incident);
    if (!card) {
      card = document.getElementById("alert").content.firstElementChild.cloneNode(true);
      card.dataset.incident = view.incident;
      this.cards.set(view.incident, card);
    }
    const stamp = JSON.stringify(view);
    if (card.stamp !== stamp) {
      card.stamp = stamp;
      fill(card, view);
    }
    return card;
  }

  tick() {
    for (const [incident, card] of this.cards) {
      card.querySelector("[data-ago]").textContent = ago(secondsSince(this.views.get(incident).opened_at), t);
    }
  }

  async press(event) {
    const button = event.target.closest("button[data-act]");
    if (!button) return;
    const buttons = [...button.parentElement.querySelectorAll("button")];
    buttons.forEach((one) => (one.disabled = true));
    const { incident } = button.closest(".alert").dataset;
    await act(`/incidents/${encodeURIComponent(incident)}/${button.dataset.act}`);
    // What became of it comes with the stream, as it does to everybody else.
    buttons.forEach((one) => (one.disabled = false));
  }

  say(view, how) {
    this.onNew(view);
    this.announce.textContent = t(how, { seat: pick(view.seat_label), title: pick(view.title) });
  }
}

// Somebody asks whoever looks to take it over.
function isForMe(view) {
  return Boolean(view?.handed_to) && view.handed_to === given().me && WORKING.includes(view.state);
}

function fill(card, view) {
  card.dataset.kind = view.kind;
  card.dataset.state = view.state;
  card.dataset.severity = view.severity;
  card.toggleAttribute("data-tentative", view.tentative);
  setIcon(card.querySelector("header svg"), view.kind === "harassment" ? "suspected" : view.kind);
  put(card, "[data-seat]", pick(view.seat_label));
  put(card, "[data-title]", pick(view.title));
  put(card, "[data-grade]", view.grade ? `B${view.severity} ${pick(view.grade)}` : "");
  put(card, "[data-reason]", pick(view.reason));
  put(card, "[data-guide]", pick(view.guide));
  put(card, "[data-phrase]", view.phrase ? `「${view.phrase.ja}」` : "");
  card.querySelector("[data-phrase-name]").hidden = !view.phrase;
  card.querySelector("[data-quotes]").replaceChildren(...quotes(view));
  card.querySelector("[data-facts]").replaceChildren(...facts(view).map(chip));
  const mayAct = given().mayAct;
  card.querySelector("[data-act=acknowledge]").hidden = !mayAct || view.state !== "open";
  card.querySelector("[data-act=take]").hidden = !mayAct || (view.state === "taken" && !isForMe(view));
  const go = card.querySelector("[data-go]");
  go.hidden = !given().mayOpen;
  go.href = `/incidents/${encodeURIComponent(view.incident)}`;
  const none = card.querySelector("[data-none]");
  none.hidden = !mayAct || !given().mayOpen || view.kind === "help";
  none.href = `${go.href}#false-alarm`;
  const hand = card.querySelector("[data-hand]");
  hand.hidden = !mayAct || !given().mayOpen || !WORKING.includes(view.state) || isForMe(view);
  hand.href = `${go.href}#hand-over`;
}

function facts(view) {
  const found = [];
  if (isForMe(view)) found.push(t("live.handed_to_you", { who: pick(view.handed_by) }));
  if (view.tentative) found.push(t("live.tentative"));
  if (view.asked) found.push(t("live.asked", { who: pick(view.asked) }));
  if (view.taken_by) found.push(t("live.by_taken", { who: pick(view.taken_by) }));
  else if (view.acknowledged_by) found.push(t("live.by_acknowledged", { who: pick(view.acknowledged_by) }));
  if (view.handing_to && !isForMe(view)) found.push(t("live.handing_to", { who: pick(view.handing_to) }));
  if (view.warnings) found.push(t("live.warnings", { count: view.warnings }));
  if (view.over) found.push(t(view.withdrawn ? "live.withdrawn" : "live.over"));
  if (view.delivered) found.push(t("live.delivered", { count: view.delivered }));
  if (view.seen) found.push(t("live.seen", { count: view.seen }));
  return found;
}

function chip(text) {
  const element = document.createElement("span");
  element.className = "chip";
  element.textContent = text;
  return element;
}

function quotes(view) {
  return view.quotes.map((text, at) => quote(text, view.telling[at] ?? [])).slice(-2);
}

// The words that carried the decision are marked, unless that was the whole of them.
function quote(text, stretches) {
  const element = document.createElement("blockquote");
  element.lang = "ja";
  const whole = stretches.length === 1 && stretches[0][0] === 0 && stretches[0][1] === text.length;
  let at = 0;
  element.append("「");
  for (const [start, end] of whole ? [] : stretches) {
    const mark = document.createElement("mark");
    mark.textContent = text.slice(start, end);
    element.append(text.slice(at, start), mark);
    at = end;
  }
  element.append(text.slice(at), "」");
  return element;
}

function finishedLine(view) {
  const line = document.createElement("li");
  const link = document.createElement("a");
  if (given().mayOpen) link.href = `/incidents/${encodeURIComponent(view.incident)}`;
  link.textContent = `${pick(view.seat_label)} ${pick(view.title)}`;
  const state = document.createElement("span");
  state.textContent = t(`live.incident.${view.state}`);
  line.append(link, state);
  return line;
}

function put(card, selector, text) {
  const place = card.querySelector(selector);
  place.textContent = text;
  place.hidden = text === "";
}

function compare(a, b) {
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return a[i] - b[i];
  return 0;
}
