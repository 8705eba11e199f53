// What is wrong with messages, lamps, devices and buttons, in a few words each: on the floor page and on the wall.

import { t } from "./texts.js";

const TROUBLES = ["fault", "silent", "untested", "low_battery"];

// Lists of name, text and page for what is wrong at present; `buttons` counts them by their gravest trouble.
export function inTrouble({ unsent, lampFaults, missing, buttons }) {
  return [
    unsent && ["unsent", t("live.summary_unsent", { count: unsent }), "/devices/"],
    lampFaults && ["lamps", t("live.summary_lamps", { count: lampFaults }), "/lamps/"],
    missing.length && ["devices", t("live.summary_devices", { names: shortened(missing) }), "/devices/"],
    Object.keys(buttons).length && ["buttons", t("live.summary_buttons", { what: troubles(buttons) }), "/buttons/"],
  ].filter(Boolean);
}

// As many names as fit; the page of devices has them all.
function shortened(names) {
  return names.length > 2 ? `${names.slice(0, 2).join(", ")} +${names.length - 2}` : names.join(", ");
}

// What is wrong with how many, the gravest first.
function troubles(buttons) {
  return TROUBLES.filter((trouble) => buttons[trouble])
    .map((trouble) => t(`live.button_trouble.${trouble}`, { count: buttons[trouble] }))
    .join(t("live.summary_and"));
}
