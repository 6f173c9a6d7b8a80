"""Exports in an S3-compatible storage: the same bytes, nothing left behind, links that the storage signs."""

import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest

from annotation import export_reading, exporting
from annotation.export_downloads import export_file, signed_link
from annotation.models import ExportRun
from tests.annotation.exports.house import frozen_house, made

boto3 = pytest.importorskip("boto3")
pytest.importorskip("storages")
server = pytest.importorskip("moto.server")


@pytest.fixture(scope="module")
def s3_address():
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(s3_address, settings):
    """A bucket of its own, and Django's storage set to it as docs/operating.md says."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    s3 = boto3.resource("s3", endpoint_url=s3_address, region_name="us-east-1", **keys)
    bucket = s3.create_bucket(Bucket="exports")
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": "exports",
                "endpoint_url": s3_address,
                "region_name": "us-east-1",
                "access_key": "test",
                "secret_key": "test",
                "signature_version": "s3v4",
                "max_memory_size": 1_048_576,
            },
        },
    }
    yield bucket
    bucket.objects.all().delete()
    bucket.delete()


@pytest.fixture
def version(project, ben):
    return frozen_house(project, ben)


def keys(bucket):
    return sorted(each.key for each in bucket.objects.all())


@pytest.mark.parametrize("format", ["trl_dpo", "huggingface"])
def test_an_export_lies_whole_in_the_bucket_and_is_the_same_bytes_again(version, bucket, format):
    first, again = made(version, format), made(version, format)
    assert (first.digest, first.manifest) == (again.digest, again.manifest)
    names = [file["name"] for file in first.manifest["files"]]
    assert keys(bucket) == sorted(
        f"{run.file_name}/{name}" for run in (first, again) for name in [*names, "manifest.json"]
    )


def test_pieces_are_put_together_and_taken_away(version, bucket, monkeypatch):
    whole = made(version, "openai_sft")
    monkeypatch.setattr(export_reading, "BATCH", 1)
    monkeypatch.setattr(exporting, "PIECE", 1)
    run = made(version, "openai_sft")
    assert (run.digest, run.manifest) == (whole.digest, whole.manifest)
    assert not [key for key in keys(bucket) if "pieces" in key]


def test_a_cancelled_run_leaves_nothing_in_the_bucket(version, bucket, monkeypatch):
    monkeypatch.setattr(export_reading, "BATCH", 1)
    monkeypatch.setattr(exporting, "PIECE", 1)
    run = exporting.request_export(version=version, format="openai_sft", is_left_to_a_worker=False)
    beat = exporting._Making._beat

    def cancel_after_a_piece(making, members):
        if making.pieces:
            assert keys(bucket) != []
            exporting.cancel_export(run=run)
        beat(making, members)

    monkeypatch.setattr(exporting._Making, "_beat", cancel_after_a_piece)
    assert exporting.make_export(export_id=run.pk) is None
    assert ExportRun.objects.get(pk=run.pk).state == "cancelled"
    assert keys(bucket) == []


def test_the_storage_signs_the_link_for_five_minutes_and_serves_the_file_itself(version, bucket):
    run = made(version, "csv")
    address, _ends_at = signed_link(run, "rows")
    assert parse_qs(urlsplit(address).query)["X-Amz-Expires"] == ["300"]
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == b"".join(export_file(run, "rows").streaming_content)
        assert answer.headers["Content-Disposition"] == (
            'attachment; filename="tax-help-gold-v1-csv.csv"'
        )
