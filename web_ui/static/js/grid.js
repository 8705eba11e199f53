// The grid on which seats are arranged: every place that can be had, with the seats on theirs.

// Free places around the map, so that it can grow to every side, and leave a way to the right and below at once.
const BEFORE = 1;
const AFTER = 2;

export class Grid {
  constructor(section) {
    this.section = section;
  }

  // `items`: every seat's element and its cell.
  draw(items, { left, right, top, bottom }) {
    this.section.style.setProperty("--columns", `repeat(${right - left + 1 + BEFORE + AFTER}, var(--column))`);
    this.section.style.setProperty("--rows", `repeat(${bottom - top + 1 + BEFORE + AFTER}, var(--row))`);
    const put = (element, { across, down }) => {
      element.style.setProperty("--across", across - left + BEFORE + 1);
      element.style.setProperty("--down", down - top + BEFORE + 1);
    };
    this.clear();
    for (let down = top - BEFORE; down <= bottom + AFTER; down += 1) {
      for (let across = left - BEFORE; across <= right + AFTER; across += 1) {
        const spot = document.createElement("div");
        spot.className = "spot";
        spot.dataset.across = across;
        spot.dataset.down = down;
        put(spot, { across, down });
        this.section.append(spot);
      }
    }
    for (const { element, cell } of items) put(element, cell);
  }

  clear() {
    for (const spot of this.section.querySelectorAll(".spot")) spot.remove();
  }

  // The place at a point of the screen; undefined beside the grid.
  at(x, y) {
    return cellOf(document.elementsFromPoint(x, y).find((element) => element.matches(".spot")));
  }

  mark(cell) {
    for (const each of this.section.querySelectorAll("[data-target]")) delete each.dataset.target;
    if (!cell) return;
    const found = `.spot[data-across="${cell.across}"][data-down="${cell.down}"]`;
    this.section.querySelector(found).dataset.target = "yes";
  }
}

export function cellOf(spot) {
  return spot ? { across: Number(spot.dataset.across), down: Number(spot.dataset.down) } : undefined;
}
