// Doing something: a POST with the page's token; what went wrong is said in the server's words.

import { t } from "./texts.js";

const TOAST_MS = 8000;
let hide;

export async function act(path) {
  try {
    await post(path);
  } catch {
    toast(t("live.failed"));
  }
}

// Returns the answer, or nothing after having said what was wrong; throws if none comes.
export async function post(path, { signal, form = {}, accept = "application/json" } = {}) {
  const token = document.querySelector("meta[name=csrf-token]").content;
  const headers = { Accept: accept, "X-CSRFToken": token };
  const answer = await fetch(path, { method: "POST", headers, body: new URLSearchParams(form), signal });
  if (answer.ok) return answer;
  const { what, remedy } = await answer.json();
  toast(`${what} ${remedy}`);
  return undefined;
}

export function toast(text) {
  const box = document.getElementById("toast");
  box.textContent = text;
  box.hidden = false;
  clearTimeout(hide);
  hide = setTimeout(() => (box.hidden = true), TOAST_MS);
}
