#!/bin/sh
# Sets up a checkout: Debian packages, then a virtual environment from the lock file. Run by `make`.
# Usage: set-up.sh run|test
set -eu
cd "$(dirname "$0")/../.."
goal=${1:?run or test}
lists=firmware_config/install/packages-run.txt
lock=requirements.lock
if [ "$goal" = test ]; then
    lists="$lists firmware_config/install/packages-test.txt"
    lock=requirements-dev.lock
fi

say() { printf '%s\n' "$*" >&2; }

# 1. Debian packages -------------------------------------------------------------------------------------------
missing=
# shellcheck disable=SC2013,SC2086 # the lists hold one word a line
for package in $(cat $lists); do
    # A machine may have the program without the Debian package of that name (a browser from elsewhere, say).
    if [ "$package" = chromium ] && command -v chromium >/dev/null 2>&1; then continue; fi
    status=$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null || true)
    case "$status" in ii*) ;; *) missing="$missing $package" ;; esac
done
if [ -n "$missing" ]; then
    line="apt-get install -y --no-install-recommends$missing"
    say "[1/3] Debian パッケージを入れます / installing Debian packages:$missing"
    if [ "$(id -u)" = 0 ]; then
        sudo=
    elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; then
        sudo=sudo
    else
        say "管理者権限がないため入れられません。次の1行を管理者に実行してもらってください:"
        say "They cannot be installed without administrator rights. Have an administrator run this one line:"
        say "    sudo $line"
        exit 2
    fi
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    # shellcheck disable=SC2086 # one word a package
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing >/dev/null
fi

# 2. Python ----------------------------------------------------------------------------------------------------
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "Python 3.11 以上が必要です（PYTHON=… で指定できます）。"
    say "Python 3.11 or newer is needed (name it with PYTHON=…)."
    exit 2
fi

# 3. The environment, exactly as locked ------------------------------------------------------------------------
stamp=".venv/.$goal-ready"
want=$(cat "$lock" pyproject.toml | sha256sum | cut -d' ' -f1)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then exit 0; fi
# What the tests need holds all that running needs.
if [ "$goal" = run ] && [ -f .venv/.test-ready ] &&
    [ "$(cat .venv/.test-ready)" = "$(cat requirements-dev.lock pyproject.toml | sha256sum | cut -d' ' -f1)" ]; then
    exit 0
fi
say "[2/3] Python 環境を作ります / making the Python environment ($lock)"
[ -x .venv/bin/python ] || "$python" -m venv .venv
if command -v uv >/dev/null 2>&1; then
    uv=uv
elif [ -x .venv-tools/bin/uv ]; then
    uv=.venv-tools/bin/uv
else
    "$python" -m venv .venv-tools
    if .venv-tools/bin/python -m pip install -q --disable-pip-version-check uv 2>/dev/null; then
        uv=.venv-tools/bin/uv
    else
        uv=
    fi
fi
if [ -n "$uv" ]; then
    "$uv" pip sync -q --python .venv/bin/python --require-hashes "$lock"
    "$uv" pip install -q --python .venv/bin/python --no-deps --build-constraint requirements-dev.lock -e .
else
    say "uv が使えないため pip で入れます（少し時間がかかります） / no uv to be had; using pip, which takes longer"
    .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps -e .
fi
say "[3/3] 準備ができました / ready"
printf '%s\n' "$want" >"$stamp"
