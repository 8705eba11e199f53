// Doing something: a POST with the page's token; what went wrong is said in the server's words.

import { t } from "./texts.js";

const TOAST_MS = 8000;
let hide;

export async function act(path) {
  const token = document.querySelector("meta[name=csrf-token]").content;
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRFToken": token },
    });
    if (answer.ok) return;
    const { what, remedy } = await answer.json();
    toast(`${what} ${remedy}`);
  } catch {
    toast(t("live.failed"));
  }
}

export function toast(text) {
  const box = document.getElementById("toast");
  box.textContent = text;
  box.hidden = false;
  clearTimeout(hide);
  hide = setTimeout(() => (box.hidden = true), TOAST_MS);
}
