// Fetches the page again and puts its new content in place, unless somebody is filling in a form on it.

let asked = null;
let running = false;

// `told`: by the stream, so that what the box has read for everybody is new enough. After an act of one's own it is not.
export async function refresh(after = () => {}, { told = false } = {}) {
  if (running) {
    asked = { told: told && (asked?.told ?? true) };
    return;
  }
  running = true;
  try {
    const headers = { Accept: "text/html", ...(told && { "X-Mamori-Told": "yes" }) };
    const answer = await fetch(location.href, { headers, cache: "no-store" });
    if (answer.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const old = document.getElementById("fresh");
      if (![...old.querySelectorAll("input")].some(touched)) {
        old.replaceWith(document.adoptNode(page.getElementById("fresh")));
        after();
      }
    }
  } catch {
    // Cut off: the stream says so, and brings the change again.
  }
  running = false;
  if (asked) {
    const again = asked;
    asked = null;
    refresh(after, again);
  }
}

function touched(input) {
  return input.checked !== input.defaultChecked || input.value !== input.defaultValue;
}
