#!/bin/bash
# Runs the broker and keeps of its log what somebody may want to know: broker.sh PROGRAM CONFIGURATION.
# Mosquitto tells of a refused publish at its most talkative level only. The rest of that level is every packet there is: it
# is left out here. `exec` keeps the broker the process that is stopped and told to reload.
set -eu
exec "$1" -c "$2" 2> >(exec grep --line-buffered -vE '^[0-9]+: (Sending |Received |No will message|Will message specified|	)' >&2)
