// Dragging with mouse, finger or pen alike. A press that does not move stays a click.

const FROM_PX = 6; // Less is a hand that shakes.
const EDGE_PX = 44; // As near to the edge of what scrolls, it scrolls.
const SCROLL_PX = 14;

// `over(x, y)` while it moves, `drop(x, y)` at its end, `cancel()` instead if it is taken back by Escape or the browser.
export function draggable(handle, { scrolls, moves, over, drop, cancel }) {
  let from = null;
  let dragging = false;

  function end(done) {
    if (dragging) {
      delete moves.dataset.dragged;
      moves.style.removeProperty("transform");
      done();
    }
    from = null;
    dragging = false;
  }

  handle.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || from) return;
    handle.setPointerCapture(event.pointerId);
    from = {
      id: event.pointerId,
      x: event.clientX + scrolls.scrollLeft,
      y: event.clientY + scrolls.scrollTop,
    };
  });
  handle.addEventListener("pointermove", (event) => {
    if (event.pointerId !== from?.id) return;
    scroll(scrolls, event);
    const across = event.clientX + scrolls.scrollLeft - from.x;
    const down = event.clientY + scrolls.scrollTop - from.y;
    if (!dragging && Math.hypot(across, down) < FROM_PX) return;
    dragging = true;
    moves.dataset.dragged = "yes";
    moves.style.setProperty("transform", `translate(${across}px, ${down}px)`);
    over(event.clientX, event.clientY);
  });
  handle.addEventListener("pointerup", (event) => {
    if (event.pointerId !== from?.id) return;
    // The click that follows a drag has had its meaning.
    if (dragging) handle.addEventListener("click", stop, { capture: true, once: true });
    setTimeout(() => handle.removeEventListener("click", stop, { capture: true }));
    end(() => drop(event.clientX, event.clientY));
  });
  handle.addEventListener("pointercancel", () => end(cancel));
  handle.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !dragging) return;
    event.preventDefault();
    end(cancel);
  });
  handle.addEventListener("contextmenu", (event) => event.preventDefault());
}

function stop(event) {
  event.stopImmediatePropagation();
  event.preventDefault();
}

function scroll(box, { clientX, clientY }) {
  const { left, right, top, bottom } = box.getBoundingClientRect();
  if (clientX < left + EDGE_PX) box.scrollBy(-SCROLL_PX, 0);
  if (clientX > right - EDGE_PX) box.scrollBy(SCROLL_PX, 0);
  if (clientY < top + EDGE_PX) box.scrollBy(0, -SCROLL_PX);
  if (clientY > bottom - EDGE_PX) box.scrollBy(0, SCROLL_PX);
}
