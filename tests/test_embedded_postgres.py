"""The private PostgreSQL starts, is shared, and comes back after whatever killed it."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import psycopg
import pytest
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

from feedbackhub import embedded_postgres


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("private")
    yield folder
    embedded_postgres.stop(folder)


@pytest.fixture
def url(data_dir):
    return embedded_postgres.database_url(data_dir)


def one(url, query, *parameters):
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query, parameters).fetchone()[0]


def count_kept_rows(url):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (id int)")
        connection.execute("INSERT INTO kept VALUES (1)")
    return one(url, "SELECT count(*) FROM kept")


def test_database_url_names_a_database_with_vectors_and_one_order_of_letters(url):
    assert one(url, "SELECT current_database()") == "feedbackhub"
    assert one(url, "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") == 1
    assert one(url, "SELECT lower('ÄÉ') || upper('ß')") == "äéß"
    provider = "SELECT datlocprovider FROM pg_database WHERE datname = %s"
    assert [one(url, provider, name) for name in ("feedbackhub", "template1")] == ["b", "b"]


def test_database_url_keeps_rows_out_of_the_log_and_strangers_out_of_the_socket(url, data_dir):
    names = ("log_min_error_statement", "log_error_verbosity", "unix_socket_permissions", "fsync")
    said = [one(url, "SELECT current_setting(%s)", name) for name in names]
    assert said == ["panic", "terse", "0700", "on"]
    with pytest.raises(psycopg.errors.UniqueViolation), psycopg.connect(url) as connection:
        connection.execute("CREATE TEMP TABLE people (email text UNIQUE)")
        connection.execute("INSERT INTO people VALUES ('eve@example.org'), ('eve@example.org')")
    assert "example.org" not in (data_dir / "postgres" / "log").read_text()


def test_database_url_attaches_to_the_server_that_runs(url, data_dir):
    pid = embedded_postgres.postmaster_pid(data_dir)
    with ThreadPoolExecutor(4) as pool:
        urls = set(pool.map(lambda _: embedded_postgres.database_url(data_dir), range(4)))
    assert urls == {url}
    assert embedded_postgres.postmaster_pid(data_dir) == pid


def test_kill_9_of_the_server_loses_nothing_and_the_next_start_recovers(url, data_dir):
    before = count_kept_rows(url)

    def hold_a_session():
        with psycopg.connect(url) as connection:
            connection.execute("SELECT sum(i) FROM generate_series(1, 1000000000) i")

    session = threading.Thread(target=_expecting_the_end, args=[hold_a_session], daemon=True)
    session.start()
    time.sleep(0.3)
    pid = embedded_postgres.postmaster_pid(data_dir)
    os.kill(pid, signal.SIGKILL)
    assert embedded_postgres.database_url(data_dir) == url
    assert embedded_postgres.postmaster_pid(data_dir) != pid
    assert count_kept_rows(url) == before + 1
    session.join(10)
    assert not session.is_alive()


def test_kill_9_of_every_process_and_a_torn_pid_file_recover(url, data_dir):
    before = count_kept_rows(url)
    postmaster = psutil.Process(embedded_postgres.postmaster_pid(data_dir))
    for process in [postmaster, *postmaster.children(recursive=True)]:
        process.kill()
    (data_dir / "postgres" / "postmaster.pid").write_text(f"{postmaster.pid}\n")
    (data_dir / "postgres" / ".handle_pids.json").write_text("[1,")
    assert count_kept_rows(embedded_postgres.database_url(data_dir)) == before + 1


def test_a_pid_file_with_a_strangers_number_does_not_count_as_running(url, data_dir):
    embedded_postgres.stop(data_dir)
    lines = [str(os.getpid()), str(data_dir), "1", "5432", str(data_dir), "", "1 1", "ready"]
    (data_dir / "postgres" / "postmaster.pid").write_text("\n".join(lines) + "\n")
    assert not embedded_postgres.is_running(data_dir)
    assert not embedded_postgres.stop(data_dir)
    assert one(embedded_postgres.database_url(data_dir), "SELECT 1") == 1


def test_stop_ends_the_server_once(url, data_dir):
    assert embedded_postgres.is_running(data_dir)
    assert embedded_postgres.stop(data_dir)
    assert not embedded_postgres.is_running(data_dir)
    assert not embedded_postgres.stop(data_dir)


def test_a_folder_with_blanks_and_odd_letters_works(tmp_path):
    folder = tmp_path / "My Projects (50% done?) #1 é"
    url = embedded_postgres.database_url(folder)
    try:
        assert one(url, "SELECT current_database()") == "feedbackhub"
    finally:
        embedded_postgres.stop(folder)


def test_a_path_too_long_for_a_socket_works(tmp_path):
    folder = tmp_path / ("long" * 30)
    url = embedded_postgres.database_url(folder)
    try:
        assert str(folder) not in url
        assert one(url, "SELECT 1") == 1
    finally:
        embedded_postgres.stop(folder)


def test_a_server_that_cannot_start_is_explained_with_its_log(tmp_path):
    embedded_postgres.database_url(tmp_path)
    embedded_postgres.stop(tmp_path)
    with open(tmp_path / "postgres" / "postgresql.conf", "a") as configuration:
        configuration.write("no_such_setting = 1\n")
    with pytest.raises(embedded_postgres.EmbeddedPostgresError) as error:
        embedded_postgres.database_url(tmp_path)
    assert 'unrecognized configuration parameter "no_such_setting"' in str(error.value)
    assert "make quickstart ARGS=--reset" in str(error.value)


def test_ensure_pgmq_installs_once_whoever_asks(url):
    def ask(_):
        with psycopg.connect(url) as connection:
            embedded_postgres.ensure_pgmq(connection)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(4)))
    assert one(url, "SELECT to_regnamespace('pgmq') IS NOT NULL")
    assert one(url, "SELECT count(*) FROM pgmq.list_queues()") == 0


def test_a_queue_is_made_and_rung_by_many_at_once(url):
    from kombu import Connection

    with psycopg.connect(url) as connection:
        embedded_postgres.ensure_pgmq(connection)

    def ring(number):
        options = embedded_postgres.celery_broker_transport_options(url)
        with Connection("pgmq://localhost", transport_options=options) as broker:
            broker.SimpleQueue("crowd").put({"number": number})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ring, range(24)))
    assert one(url, "SELECT queue_length FROM pgmq.metrics('crowd')") == 24
    assert one(url, "SELECT pgmq.notifies('crowd')")


def test_celery_broker_transport_options_hold_every_part_of_the_address():
    given = "postgresql://me:p%40ss%20word@db.internal:6000/hub?sslmode=require"
    options = embedded_postgres.celery_broker_transport_options(given)
    assert conninfo_to_dict(options["conn_string"]) == {
        "user": "me",
        "password": "p@ss word",
        "host": "db.internal",
        "port": "6000",
        "dbname": "hub",
        "sslmode": "require",
    }
    assert options["visibility_timeout"] == 3600


def test_celery_broker_transport_options_name_a_password_where_the_socket_needs_none():
    options = embedded_postgres.celery_broker_transport_options(settings.DATABASE_URL)
    address = conninfo_to_dict(options["conn_string"])
    assert (address["password"], address["port"]) == ("x", "5432")
    assert address["host"].startswith("/")


def _expecting_the_end(work):
    with pytest.raises(psycopg.OperationalError):
        work()
