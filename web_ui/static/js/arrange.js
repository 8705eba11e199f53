// Laying out the floor map: seats are dragged, tapped to a place, or moved by the arrow keys; what is live stays live.
// Nothing is saved before it is asked for, nothing of anybody else's is overwritten unasked.

import { post, toast } from "./act.js";
import { clockOf } from "./contact.js";
import { draggable } from "./drag.js";
import { Draft, withAll } from "./draft.js";
import { cellOf, Grid } from "./grid.js";
import { pick, t } from "./texts.js";

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Arranging {
  // `bar`: what is shown meanwhile, `said`: where a screen reader is told.
  constructor({ seats, bar, said, opener }) {
    this.seats = seats;
    this.section = seats.section;
    this.grid = new Grid(seats.section);
    this.bar = bar;
    this.said = said;
    this.opener = opener;
    this.draft = null;
    this.version = 0;
    this.held = null;
    this.saving = false;
    opener.addEventListener("click", () => this.begin());
    const on = (name, act) => bar.querySelector(`[data-${name}]`).addEventListener("click", act);
    on("undo", () => this.undo());
    on("clear", () => this.clear());
    on("leave", () => this.askToLeave());
    on("save", () => this.save());
    this.section.addEventListener("click", (event) => this.tapped(cellOf(event.target.closest(".spot"))));
    addEventListener("keydown", (event) => {
      if (this.on && event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.undo();
      }
    });
    addEventListener("beforeunload", (event) => {
      if (this.on && this.draft.changed) event.preventDefault();
    });
  }

  get on() {
    return this.draft !== null;
  }

  get names() {
    return [...this.seats.cards.keys()];
  }

  async begin() {
    const saved = await this.fetch();
    if (!saved || this.on) return;
    this.take(saved);
    this.seats.arranging = true;
    this.section.classList.add("arranging");
    // So that a screen reader leaves the arrow keys to the page.
    this.section.setAttribute("role", "application");
    this.bar.hidden = false;
    this.opener.hidden = true;
    this.draw();
    this.seats.cards.get(this.names[0])?.handle.focus();
  }

  // A card has been made: it can be moved from now on.
  prepare(seat, card) {
    const handle = card.handle;
    handle.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!this.on || !step || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      const { across, down } = this.draft.cell(seat);
      this.move(seat, { across: across + step[0], down: down + step[1] });
    });
    handle.addEventListener("click", () => this.tappedSeat(seat));
    draggable(handle, {
      scrolls: this.section,
      moves: card.element,
      over: (x, y) => this.grid.mark(this.grid.at(x, y)),
      drop: (x, y) => {
        const cell = this.grid.at(x, y);
        this.grid.mark(null);
        if (cell) this.move(seat, cell);
      },
      cancel: () => this.grid.mark(null),
    });
  }

  // The seats there are have changed.
  seatsChanged() {
    if (this.on) this.draw();
  }

  // Somebody has saved, or it is not known whether somebody has.
  async told(version) {
    if (!this.on || this.saving || version === this.version) return;
    const saved = await this.fetch();
    if (!saved || !this.on || saved.version === this.version) return;
    if (this.draft.changed) this.askWhose(saved);
    else {
      this.take(saved);
      this.draw();
      this.say(t("live.arrange.theirs_taken", { who: saved.by }));
    }
  }

  move(seat, cell) {
    const other = this.draft.at(cell);
    if (!this.draft.move(seat, cell)) {
      this.say(t("live.arrange.stays", { seat: this.nameOf(seat) }));
      return;
    }
    this.hold(null);
    this.draw();
    const place = this.placeOf(seat);
    this.say(
      other === undefined
        ? t("live.arrange.moved", place)
        : t("live.arrange.swapped", { ...place, other: this.nameOf(other) }),
    );
    this.seats.cards.get(seat).handle.focus();
    this.seats.cards.get(seat).element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  undo() {
    if (!this.draft.undoable) return;
    this.draft.undo();
    this.draw();
    this.say(t("live.arrange.undone"));
  }

  clear() {
    this.draft.replace(withAll(new Map(), this.names), true);
    this.draw();
    this.say(t("live.arrange.cleared"));
  }

  // Without dragging: a tap on a seat, then one on a place.
  tappedSeat(seat) {
    if (!this.on) return;
    if (this.held !== null && this.held !== seat) {
      this.move(this.held, this.draft.cell(seat));
    } else this.hold(this.held === seat ? null : seat);
  }

  tapped(cell) {
    if (this.on && cell && this.held !== null) this.move(this.held, cell);
  }

  hold(seat) {
    this.held = seat;
    for (const [name, { handle }] of this.seats.cards) handle.setAttribute("aria-pressed", String(name === seat));
  }

  async save() {
    if (this.saving) return;
    this.saving = true;
    this.bar.querySelector("[data-save]").disabled = true;
    try {
      const form = { version: this.version, cells: JSON.stringify(this.draft.toSave) };
      const answer = await post("/arrange/", { form });
      this.saving = false;
      if (answer) {
        this.leave();
        this.say(t("live.arrange.saved"));
      } else await this.told();
    } catch {
      toast(t("live.failed"));
    }
    this.saving = false;
    this.bar.querySelector("[data-save]").disabled = false;
  }

  askToLeave() {
    if (!this.draft.changed) this.leave();
    else {
      this.ask(t("live.arrange.discard_question"), [
        ["live.arrange.go_on", () => {}],
        ["live.arrange.discard", () => this.leave()],
      ]);
    }
  }

  askWhose(saved) {
    const question = t("live.arrange.whose_question", { who: saved.by, time: clockOf(Date.parse(saved.at)) });
    this.ask(question, [
      [
        "live.arrange.theirs",
        () => {
          this.version = saved.version;
          this.draft.replace(this.cellsOf(saved), this.isClear(saved));
          this.draw();
        },
      ],
      [
        "live.arrange.mine",
        () => {
          this.version = saved.version;
          this.save();
        },
      ],
    ]);
  }

  ask(question, choices) {
    const box = this.bar.querySelector("[data-question]");
    box.querySelector("[data-asked]").textContent = question;
    const buttons = choices.map(([key, act]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = t(key);
      button.addEventListener("click", () => {
        box.hidden = true;
        act();
      });
      return button;
    });
    box.querySelector("[data-choices]").replaceChildren(...buttons);
    box.hidden = false;
  }

  leave() {
    this.draft = null;
    this.held = null;
    this.section.classList.remove("arranging");
    this.section.removeAttribute("role");
    this.grid.clear();
    this.bar.hidden = true;
    this.bar.querySelector("[data-question]").hidden = true;
    this.opener.hidden = false;
    this.opener.focus();
    this.seats.arranging = false;
    this.seats.place();
  }

  take(saved) {
    this.version = saved.version;
    this.draft = new Draft(this.cellsOf(saved), { cleared: this.isClear(saved) });
  }

  isClear(saved) {
    return Object.keys(saved.cells).length === 0;
  }

  cellsOf(saved) {
    return withAll(new Map(Object.entries(saved.cells)), this.names);
  }

  async fetch() {
    try {
      const answer = await fetch("/arrange/", { headers: { Accept: "application/json" }, cache: "no-store" });
      if (answer.ok) return await answer.json();
    } catch {
      // Said below.
    }
    toast(t("live.failed"));
    return undefined;
  }

  draw() {
    this.draft.keep(this.names);
    const items = [...this.seats.cards].map(([seat, { element }]) => ({ element, cell: this.draft.cell(seat) }));
    this.grid.draw(items, this.draft.bounds);
    for (const [seat, { handle }] of this.seats.cards) {
      handle.setAttribute("aria-label", t("live.arrange.place", this.placeOf(seat)));
    }
    this.hold(this.held);
    this.bar.querySelector("[data-undo]").disabled = !this.draft.undoable;
  }

  nameOf(seat) {
    return pick(this.seats.cards.get(seat).view.label);
  }

  placeOf(seat) {
    const { left, top } = this.draft.bounds;
    const { across, down } = this.draft.cell(seat);
    return { seat: this.nameOf(seat), across: across - left + 1, down: down - top + 1 };
  }

  say(text) {
    this.said.textContent = text;
  }
}
