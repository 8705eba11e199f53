// The pages' words, given by the server in the language of whoever looks.

const start = JSON.parse(document.getElementById("start")?.textContent ?? "{}");

export function given() {
  return start;
}

export function t(key, values = {}) {
  const text = start.texts[key];
  if (text === undefined) throw new Error(`no text for ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// Words of the policy and of faults come in both languages.
export function pick(text) {
  return text ? text[start.language] : "";
}
