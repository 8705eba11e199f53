// The page for when the box cannot be reached: since when, and back to where one was as soon as it is there again.

import { lastContact, momentOf } from "./contact.js";

const EVERY_MS = 2000;
const SHOWN_MS = 1500;

const at = lastContact();
for (const place of document.querySelectorAll("[data-contact]")) place.textContent = at ? momentOf(at) : "–";

function count() {
  if (!at) return;
  const minutes = Math.floor((Date.now() - at) / 60000);
  for (const place of document.querySelectorAll("[data-minutes]")) {
    place.hidden = minutes < 1;
    place.textContent = place.dataset.minutes.replace("{count}", minutes);
  }
}

async function look() {
  try {
    const answer = await fetch("/reach", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (answer.status === 204) {
      document.body.dataset.back = "yes";
      document.getElementById("back").hidden = false;
      document.getElementById("lost").hidden = true;
      setTimeout(() => location.replace(location.pathname === "/offline" ? "/" : location.href), SHOWN_MS);
      return;
    }
  } catch {
    // Not yet there.
  }
  setTimeout(look, EVERY_MS);
}

count();
setInterval(count, 10000);
setTimeout(look, EVERY_MS);
