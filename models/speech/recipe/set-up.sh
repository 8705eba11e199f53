#!/bin/sh
# The environment of the recipe, in the folder given; what is there is not made again.
set -e
here=$(dirname "$0")
for program in fstcompile sox ffmpeg; do
	command -v "$program" >/dev/null || { echo "needed: sudo apt-get install libfst-tools sox ffmpeg" >&2; exit 1; }
done
[ -e "$1/ready" ] && exit 0
python3.11 -m venv "$1"
"$1/bin/pip" install -q torch==2.13.0
"$1/bin/pip" install -q -r "$here/requirements.txt"
"$1/bin/pip" install -q --no-deps -r "$here/requirements-no-deps.txt"
touch "$1/ready"
