// Time by the box's clock: a tablet's own may be minutes off.

let offset = 0;

export function setByBox(now) {
  offset = Date.parse(now) - Date.now();
}

export function boxNow() {
  return Date.now() + offset;
}

export function secondsSince(moment) {
  return Math.max(0, Math.floor((boxNow() - Date.parse(moment)) / 1000));
}

const two = (number) => String(number).padStart(2, "0");

export function elapsed(seconds) {
  const minutes = Math.floor(seconds / 60);
  const rest = two(seconds % 60);
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}

export function ago(seconds, t) {
  if (seconds < 3) return t("live.ago.now");
  if (seconds < 60) return t("live.ago.seconds", { count: seconds });
  if (seconds < 3600) return t("live.ago.minutes", { count: Math.floor(seconds / 60) });
  if (seconds < 86400) return t("live.ago.hours", { count: Math.floor(seconds / 3600) });
  return t("live.ago.days", { count: Math.floor(seconds / 86400) });
}

export function timeOfDay() {
  const now = new Date(boxNow());
  return `${two(now.getHours())}:${two(now.getMinutes())}`;
}
