// The incident page: follows what others do to the incident, and the call's words while it lasts.

import { refresh } from "./fresh.js";
import { Listening } from "./listen.js";
import { showListening, showState, Stream } from "./stream.js";
import { given, t } from "./texts.js";
import { Words } from "./words.js";

let spoken = [...given().words];
let words;
let listening;

function showWords() {
  const box = document.getElementById("words");
  if (!box) return;
  words = new Words(box);
  words.put(spoken);
  const button = document.getElementById("listen");
  if (!button) return;
  if (listening) listening.move(button, words);
  else listening = new Listening(button, words, 60);
  listening.offer(given().callId);
}

function add(utterances) {
  const known = new Map(spoken.map((one) => [one.sequence, one]));
  for (const one of utterances) known.set(one.sequence, one);
  spoken = [...known.values()].sort((a, b) => a.sequence - b.sequence);
  words?.put(utterances);
}

showWords();
// From the floor page, straight to what somebody wants to do.
if (["#false-alarm", "#hand-over"].includes(location.hash)) document.querySelector(location.hash)?.setAttribute("open", "");

new Stream({
  seen: given().seen,
  handlers: {
    floor: ({ floor, listening }) => {
      add(floor.words[given().callId] ?? []);
      showListening(listening, t);
      refresh(showWords);
    },
    incident: ({ incident }) => {
      if (incident === given().incident) refresh(showWords);
    },
    words: ({ call_id: callId, words: utterances }) => {
      if (callId === given().callId) add(utterances);
    },
    listening: ({ listening }) => showListening(listening, t),
    beat: () => {},
  },
  onState: (connected, heard, reason) => showState({ t, connected, heard, reason }),
});
