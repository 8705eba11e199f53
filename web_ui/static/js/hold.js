// One button, three meanings, as under the desk: short is help, long takes it back, held is an emergency.
// By pointer, by key, or by whatever else clicks. Released outside the button it means nothing.

const KEYS = [" ", "Enter"];
const CLICK_MS = 500; // A browser's click follows the release at once.

export function holdable(button, { longMs, holdMs, mayWithdraw, meant, say }) {
  let began = null;
  let frame = 0;
  let ended = -Infinity;

  function begin() {
    if (began !== null) return;
    began = performance.now();
    watch();
  }

  function watch() {
    const held = performance.now() - began;
    button.style.setProperty("--held", Math.min(1, held / holdMs));
    button.dataset.held = "yes";
    if (held >= holdMs) {
      // At once: whoever holds it must not have to let go first.
      finish("emergency");
      return;
    }
    say(held < longMs ? "live.own.holding" : mayWithdraw() ? "live.own.release_withdraw" : "live.own.release_help");
    frame = requestAnimationFrame(watch);
  }

  function finish(gesture) {
    cancelAnimationFrame(frame);
    began = null;
    ended = performance.now();
    delete button.dataset.held;
    button.style.setProperty("--held", 0);
    say("live.own.help");
    if (gesture) meant(gesture);
  }

  function release() {
    if (began === null) return;
    const held = performance.now() - began;
    // A page that was busy may look only now.
    if (held >= holdMs) finish("emergency");
    else finish(held >= longMs && mayWithdraw() ? "withdraw" : "help");
  }

  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    begin();
  });
  button.addEventListener("pointerup", (event) => {
    ended = performance.now();
    const box = button.getBoundingClientRect();
    const inside =
      event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (inside) release();
    else if (began !== null) finish(null);
  });
  // Taken away by the browser or another window: nobody's call for help may be lost by that.
  button.addEventListener("pointercancel", release);
  button.addEventListener("blur", release);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("keydown", (event) => {
    if (!KEYS.includes(event.key)) return;
    event.preventDefault();
    if (!event.repeat) begin();
  });
  button.addEventListener("keyup", (event) => {
    if (!KEYS.includes(event.key)) return;
    event.preventDefault();
    release();
  });
  button.addEventListener("click", (event) => {
    // A click that follows a press has had its meaning; one without is a screen reader's or a switch's.
    event.preventDefault();
    if (event.detail === 0 || performance.now() - ended > CLICK_MS) meant("help");
  });
}
