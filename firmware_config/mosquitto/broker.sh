#!/bin/bash
# Runs the broker and keeps of its log what somebody may want to know: broker.sh PROGRAM CONFIGURATION [REFUSED].
# Mosquitto tells of a refused publish at its most talkative level only. The rest of that level is every packet there is: it
# is left out here. `exec` keeps the broker the process that is stopped and told to reload.
# What was refused, and who subscribed to what, goes to the file REFUSED too, which the agent reads and which begins anew
# before it grows large. A file that cannot be written keeps nobody from the log.
set -eu
packets='^[0-9]+: (Sending |Received |No will message|Will message specified|	)'
most=5000

sort_out() {
    written=0
    [ -z "$1" ] || [ ! -f "$1" ] || written=$(wc -l <"$1") || true
    while IFS= read -r line; do
        printf '%s\n' "$line"
        case $line in
        *': Denied PUBLISH from '* | *' disconnected, not authorised.' | [0-9]*': '*' '[012]' '*)
            [ -n "$1" ] || continue
            if [ "$written" -ge "$most" ]; then
                rm -f "$1" || true
                written=0
            fi
            printf '%s\n' "$line" 2>/dev/null >>"$1" || true
            written=$((written + 1))
            ;;
        esac
    done
}

exec "$1" -c "$2" 2> >(grep --line-buffered -vE "$packets" | sort_out "${3:-}" >&2)
