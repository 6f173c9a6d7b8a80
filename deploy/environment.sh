#!/bin/sh
# Makes .venv from the pinned, hashed requirements; does nothing when they have not changed.
# Usage: sh deploy/environment.sh [dev]
set -eu
cd "$(dirname "$0")/.."

wanted=server lock=requirements.lock
if [ "${1:-}" = dev ]; then wanted=dev lock=requirements-dev.lock; fi
stamp=.venv/.installed-$wanted

fits() { # Python 3.11 to 3.14
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null
}

if [ -f "$stamp" ] && cat "$lock" pyproject.toml | cmp -s - "$stamp" && fits .venv/bin/python; then
    exit 0
fi

began=$(date +%s)
if ! fits .venv/bin/python; then
    python=
    for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
        if fits "$candidate"; then python=$candidate && break; fi
    done
    if [ -z "$python" ]; then
        echo "FeedbackHub needs Python 3.11, 3.12, 3.13 or 3.14 and found none." >&2
        echo "Install one, or name it: make quickstart PYTHON=/path/to/python3" >&2
        exit 1
    fi
    echo "Making .venv with $("$python" --version)"
    rm -rf .venv
    if ! "$python" -m venv .venv; then
        rm -rf .venv
        echo "Python's venv module is incomplete here (Debian, Ubuntu: apt-get install python3-venv)." >&2
        exit 1
    fi
fi

echo "Installing the packages of $lock (400 MB; half a minute, longer the first time)"
pip() { .venv/bin/python -m pip --disable-pip-version-check --no-input "$@"; }
rm -f "$stamp"
# Not compiled here: what is used compiles itself at the first start, the other two thirds never need to.
pip install -qq --no-compile --require-hashes -r "$lock"
pip install -qq --no-deps -e .
cat "$lock" pyproject.toml > "$stamp"
if [ $wanted = dev ]; then # holds everything of the server's
    cat requirements.lock pyproject.toml > .venv/.installed-server
fi
echo "Installed in $(($(date +%s) - began)) s"
