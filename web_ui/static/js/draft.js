// An arrangement that is not saved yet: every seat's cell, and the way back.

const MOST = 40; // As the box has it: edge_agent/domain/layout.py.

export class Draft {
  // `cells`: Map of seat to { across, down }, of every seat there is. `cleared`: drawn so, but not laid out.
  constructor(cells, { cleared = false } = {}) {
    this.saved = { cells, cleared };
    this.now = { cells, cleared };
    this.before = [];
  }

  get changed() {
    return !same(this.now, this.saved);
  }

  get undoable() {
    return this.before.length > 0;
  }

  cell(seat) {
    return this.now.cells.get(seat);
  }

  at({ across, down }) {
    for (const [seat, cell] of this.now.cells) if (cell.across === across && cell.down === down) return seat;
    return undefined;
  }

  // First and last column and row in use.
  get bounds() {
    const cells = [...this.now.cells.values()];
    const across = cells.map((cell) => cell.across);
    const down = cells.map((cell) => cell.down);
    return { left: Math.min(...across), right: Math.max(...across), top: Math.min(...down), bottom: Math.max(...down) };
  }

  // Whoever is at that place changes places with the seat; nothing changes if the map would become too large.
  move(seat, cell) {
    const from = this.cell(seat);
    if (from.across === cell.across && from.down === cell.down) return false;
    const cells = new Map(this.now.cells);
    const other = this.at(cell);
    if (other !== undefined) cells.set(other, from);
    cells.set(seat, cell);
    return this.become({ cells, cleared: false });
  }

  // Another whole arrangement, from which undoing leads back too.
  replace(cells, cleared) {
    return this.become({ cells, cleared });
  }

  become(next) {
    const before = this.now;
    this.now = next;
    const { left, right, top, bottom } = this.bounds;
    if (right - left >= MOST || bottom - top >= MOST) {
      this.now = before;
      return false;
    }
    this.before.push(before);
    return true;
  }

  undo() {
    if (this.undoable) this.now = this.before.pop();
  }

  // These seats are there, and no others; new ones follow below.
  keep(seats) {
    const kept = (state) => ({ ...state, cells: withAll(state.cells, seats) });
    this.saved = kept(this.saved);
    this.now = kept(this.now);
    this.before = this.before.map(kept);
  }

  // What to save: the map begins at its first column and row.
  get toSave() {
    if (this.now.cleared) return {};
    const { left, top } = this.bounds;
    const cells = [...this.now.cells].map(([seat, { across, down }]) => [
      seat,
      { across: across - left, down: down - top },
    ]);
    return Object.fromEntries(cells);
  }
}

// The cells of these seats; who has none yet is put into rows below.
export function withAll(cells, seats) {
  const known = new Map(seats.filter((seat) => cells.has(seat)).map((seat) => [seat, cells.get(seat)]));
  const used = [...known.values()];
  const wide = used.length ? Math.max(...used.map((cell) => cell.across)) + 1 : Math.ceil(Math.sqrt(seats.length));
  const below = used.length ? Math.max(...used.map((cell) => cell.down)) + 1 : 0;
  seats
    .filter((seat) => !known.has(seat))
    .forEach((seat, n) => known.set(seat, { across: n % wide, down: below + Math.floor(n / wide) }));
  return known;
}

function same(one, other) {
  if (one.cleared && other.cleared) return true;
  if (one.cleared !== other.cleared) return false;
  for (const [seat, cell] of one.cells) {
    const there = other.cells.get(seat);
    if (there?.across !== cell.across || there?.down !== cell.down) return false;
  }
  return true;
}
