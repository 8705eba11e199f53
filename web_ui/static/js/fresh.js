// Fetches the page again and puts its new content in place, unless somebody is filling in a form on it.

let asked = false;
let running = false;

export async function refresh(after = () => {}) {
  if (running) {
    asked = true;
    return;
  }
  running = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
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
    asked = false;
    refresh(after);
  }
}

function touched(input) {
  return input.checked !== input.defaultChecked || input.value !== input.defaultValue;
}
