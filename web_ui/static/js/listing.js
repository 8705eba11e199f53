// The list of incidents follows what happens.

import { refresh } from "./fresh.js";
import { showListening, showState, Stream } from "./stream.js";
import { given, t } from "./texts.js";

new Stream({
  seen: given().seen,
  handlers: {
    floor: ({ listening }) => {
      showListening(listening, t);
      refresh();
    },
    incident: () => refresh(),
    listening: ({ listening }) => showListening(listening, t),
    beat: () => {},
  },
  onState: (connected, heard, reason) => showState({ t, connected, heard, reason }),
});
