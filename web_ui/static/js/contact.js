// When this browser last heard of the box; the only thing it remembers of it.

const KEY = "mamori-contact";

export function noteContact(at = Date.now()) {
  try {
    localStorage.setItem(KEY, String(at));
  } catch {
    // A browser that keeps nothing shows no time, and everything else.
  }
}

export function lastContact() {
  try {
    return Number(localStorage.getItem(KEY)) || null;
  } catch {
    return null;
  }
}

const two = (number) => String(number).padStart(2, "0");

export function clockOf(at) {
  const time = new Date(at);
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

// The day too where it was another one: a tablet may have lain in a drawer.
export function momentOf(at) {
  const time = new Date(at);
  const today = time.toDateString() === new Date().toDateString();
  return today ? clockOf(at) : `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clockOf(at)}`;
}
