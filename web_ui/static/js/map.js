// Drawing seats as they are laid out. Where nothing is laid out, they flow in their order as before; on a phone too,
// which the style sheet sees to.

const GAP = "var(--aisle)"; // A row or column where no seat is: a way between desks.

// `items`: every seat's element and its cell, which may be missing.
export function draw(section, items) {
  const laid = items.filter(({ cell }) => cell);
  section.dataset.map = laid.length ? "yes" : "";
  const [left, columns] = tracks(laid.map(({ cell }) => cell.across), "var(--column)");
  const [top, rows] = tracks(laid.map(({ cell }) => cell.down), "var(--row)");
  section.style.setProperty("--columns", columns);
  section.style.setProperty("--rows", rows);
  for (const { element, cell } of items) {
    element.style.setProperty("--across", cell ? cell.across - left + 1 : "auto");
    element.style.setProperty("--down", cell ? cell.down - top + 1 : "auto");
  }
}

// The order in which it is read aloud and walked through by key is the order in which it is seen.
export function inOrder(items) {
  const key = ({ cell }) => (cell ? cell.down * 1000 + cell.across : Infinity);
  return [...items].sort((a, b) => (key(a) === key(b) ? 0 : key(a) - key(b)));
}

// What lies outside the used cells is not drawn.
function tracks(used, wide) {
  if (!used.length) return [0, "none"];
  const first = Math.min(...used);
  const there = new Set(used);
  const sizes = [];
  for (let at = first; at <= Math.max(...used); at += 1) sizes.push(there.has(at) ? wide : GAP);
  return [first, sizes.join(" ")];
}
