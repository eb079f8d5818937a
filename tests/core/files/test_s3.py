"""Files in a bucket, against a server that speaks S3 on a socket of this machine."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from moto.server import ThreadedMotoServer
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from core import checks
from core.db.rows import new_id
from core.files import local_cache
from core.files import services as files
from core.files.errors import FileDamaged, FileMissing, StorageAway
from core.files.incoming import Incoming, upload_folder
from core.files.marker import MARKER
from core.files.models import StoredFile
from core.files.s3 import PART_BYTES
from core.files.storage_url import Bucket, bucket_of, faults_of, storage_at
from exports.queries import link_to
from meetings.models import Segment
from tests import make
from tests.run_jobs import run_jobs
from tests.storage import STORAGE_ID

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[3]
JFK = ROOT / "tests" / "data" / "audio" / "jfk.flac"
BODY = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def url(endpoint: str, monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> str:
    """The address of a bucket of this test, which is the storage meanwhile."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "who")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "knows")
    name = f"test-{uuid.uuid4().hex}"
    s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    s3.create_bucket(Bucket=name)
    place = f"s3://{name}/files?endpoint={endpoint}&region=us-east-1"
    use(settings, place)
    settings.UPLOAD_FOLDER = str(tmp_path)
    default_storage.save(MARKER, ContentFile(str(STORAGE_ID).encode()))
    return place


def use(settings: Settings, place: str) -> None:
    settings.STORAGE_URL = place
    settings.STORAGES = {**settings.STORAGES, "default": storage_at(place)}


def client() -> Any:
    return default_storage.connection.meta.client  # type: ignore[attr-defined]


@pytest.fixture
def asked(url: str) -> list[str]:
    """What is asked of the server from now on, but for the marker of the storage."""
    seen: list[str] = []

    def note(model: Any, params: Any, **_: Any) -> None:
        if not params["url"].endswith(MARKER):
            seen.append(model.name)

    client().meta.events.register("before-call.s3", note)
    return seen


def keys_in(url: str) -> set[str]:
    found = client().list_objects_v2(Bucket=url.split("/")[2]).get("Contents", [])
    return {entry["Key"] for entry in found}


def incoming(body: bytes, tmp_path: Path) -> Incoming:
    source = tmp_path / f"upload-{uuid.uuid4().hex}"
    source.write_bytes(body)
    return Incoming(source, hashlib.sha256(body).hexdigest(), len(body))


def keep(body: bytes, tmp_path: Path) -> StoredFile:
    organization = make.organization()
    upload = incoming(body, tmp_path)
    with (
        files.placing(upload, organization_id=organization.id, media_type="x/y") as placed,
        transaction.atomic(),
    ):
        return placed.keep()


def test_bytes_are_kept_read_in_parts_and_let_go(url: str, tmp_path: Path) -> None:
    stored = keep(BODY, tmp_path)

    assert b"".join(files.read_part(stored, 0, len(BODY))) == BODY
    assert b"".join(files.read_part(stored, 300, 10)) == BODY[300:310]
    assert list(files.read_part(stored, 0, 0)) == []
    assert keys_in(url) == {f"files/{MARKER}", f"files/{stored.key}"}
    with transaction.atomic():
        key = files.release(stored)
    assert key is not None
    files.delete_bytes(key)
    with pytest.raises(FileMissing):
        files.read_part(stored, 0, 1)


def test_an_upload_of_which_the_bucket_kept_a_part_is_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(model: Any, params: Any, **_: Any) -> None:
        params["body"] = io.BytesIO(params["body"].read()[:-10])

    client().meta.events.register("before-call.s3.PutObject", cut)

    with pytest.raises(StorageAway):
        keep(BODY, tmp_path)

    assert not StoredFile.objects.exists()
    assert keys_in(url) == {f"files/{MARKER}"}


def test_an_object_that_lost_bytes_is_not_read_and_the_next_upload_replaces_it(
    url: str, tmp_path: Path
) -> None:
    stored = keep(BODY, tmp_path)
    bucket = url.split("/")[2]
    client().put_object(Bucket=bucket, Key=f"files/{stored.key}", Body=BODY[:-1])
    for start in (0, len(BODY) - 1):
        with pytest.raises(FileDamaged):
            files.read_part(stored, start, 1)

    with files.placing(
        incoming(BODY, tmp_path), organization_id=stored.organization_id, media_type="x/y"
    ):
        pass

    assert b"".join(files.read_part(stored, 0, len(BODY))) == BODY


def test_only_the_part_that_is_asked_for_leaves_the_bucket(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = keep(BODY, tmp_path)
    lengths: list[str] = []
    client().meta.events.register(
        "after-call.s3.GetObject",
        lambda http_response, **_: lengths.append(http_response.headers["Content-Length"]),
    )

    assert b"".join(files.read_part(stored, 0, 100)) == BODY[:100]

    assert lengths == ["100"]


def test_a_large_file_goes_up_in_parts(url: str, tmp_path: Path, asked: list[str]) -> None:
    body = os.urandom(2 * PART_BYTES + 5)

    stored = keep(body, tmp_path)

    assert asked.count("UploadPart") == 3
    digest = hashlib.sha256()
    for block in files.read_part(stored, 0, len(body)):
        digest.update(block)
    assert digest.hexdigest() == stored.sha256


UPLOAD = """
import resource, sys
from django.conf import settings
from django.core.files import File
settings.configure()
from core.files.storage_url import bucket_of
from core.files.s3 import BucketStorage
class OnDisk(File):
    def temporary_file_path(self):
        return self.name
storage = BucketStorage(bucket_of(sys.argv[1]))
def upload(name):
    with open(sys.argv[2 + (name == "large")], "rb") as source:
        storage.save(name, OnDisk(source))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
small, large = upload("small"), upload("large")
print(large - small)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in bytes elsewhere")
def test_a_large_upload_takes_no_more_memory_than_a_small_one(url: str, tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"x")
    with large.open("wb") as file:
        file.truncate(100 * 1024**2)

    done = subprocess.run(
        [sys.executable, "-c", UPLOAD, url, str(small), str(large)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=True,
    )  # fmt: skip

    assert int(done.stdout) < 60 * 1024


def test_a_file_is_fetched_once_for_all_jobs_that_read_it(
    url: str, tmp_path: Path, asked: list[str]
) -> None:
    stored = keep(BODY, tmp_path)
    for _ in range(3):
        with files.local_copy(stored) as path:
            assert path.read_bytes() == BODY
    assert asked.count("GetObject") == 1
    assert len(list(upload_folder().glob("fetched-*"))) == 1

    with files.local_copy(stored) as path:
        stored.delete()
        files.delete_bytes(stored.key)
        assert path.read_bytes() == BODY, "who reads it reads on"
    assert list(upload_folder().glob("fetched-*")) == []


def test_a_copy_that_nobody_used_for_hours_is_swept(url: str, tmp_path: Path) -> None:
    stored = keep(BODY, tmp_path)
    with files.local_copy(stored):
        pass
    (copy,) = upload_folder().glob("fetched-*")
    local_cache.sweep()
    assert copy.exists()

    long_ago = copy.stat().st_mtime - local_cache.UNUSED_SECONDS - 60
    os.utime(copy, (long_ago, long_ago))
    local_cache.sweep()

    assert not copy.exists()


def test_a_copy_that_breaks_off_is_no_copy(url: str, tmp_path: Path) -> None:
    stored = keep(BODY, tmp_path)

    def broken() -> Iterator[bytes]:
        yield BODY[:10]
        raise StorageAway

    with pytest.raises(StorageAway), local_cache.copy_of(stored.key, broken):
        pass

    assert list(upload_folder().glob("fetched-*")) == []


def test_what_no_row_names_is_swept_and_so_are_unfinished_uploads(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = keep(BODY, tmp_path)
    orphan = default_storage.save(f"{stored.organization_id}/{new_id()}", ContentFile(b"lost"))
    bucket = url.split("/")[2]
    client().create_multipart_upload(Bucket=bucket, Key="files/half")
    files.sweep_unnamed()
    assert default_storage.exists(orphan), "it may still be named"

    monkeypatch.setattr(files, "UNNAMED_FOR", timedelta(seconds=-60))
    files.sweep_unnamed()

    assert not default_storage.exists(orphan)
    assert default_storage.exists(stored.key)
    assert "Uploads" not in client().list_multipart_uploads(Bucket=bucket)


def test_an_export_is_fetched_from_the_bucket_whole_and_in_parts(url: str) -> None:
    export = make.export(meeting=make.meeting(), content=BODY, filename="x.txt")
    link = link_to(export, export.created_at)
    assert link is not None
    address = f"/api/v1/exports/{export.id}/file/{link.token}/"

    whole = APIClient().get(address)
    part: Any = APIClient().get(address, headers={"Range": "bytes=100-199"})

    assert b"".join(whole.streaming_content) == BODY  # type: ignore[attr-defined]
    assert part.status_code == 206
    assert part["Content-Range"] == f"bytes 100-199/{len(BODY)}"
    assert b"".join(part.streaming_content) == BODY[100:200]


def test_a_bucket_that_is_away_is_said_so(url: str, tmp_path: Path, settings: Settings) -> None:
    export = make.export(meeting=make.meeting(), content=BODY, filename="x.txt")
    link = link_to(export, export.created_at)
    assert link is not None
    assert checks.check_bucket() == []

    use(settings, "s3://nobody?endpoint=http://127.0.0.1:1&region=us-east-1")

    answer: Any = APIClient().get(f"/api/v1/exports/{export.id}/file/{link.token}/")
    assert (answer.status_code, answer.json()["code"]) == (503, "storage.away")
    with pytest.raises(StorageAway):
        keep(BODY, tmp_path)
    assert [found.id for found in checks.check_bucket()] == ["core.E014"]


def test_a_bucket_that_is_not_there_is_found(url: str, settings: Settings) -> None:
    use(settings, url.replace("s3://test-", "s3://other-"))

    assert [found.id for found in checks.check_bucket()] == ["core.E014"]


def test_a_recording_in_a_bucket_is_transcribed_and_fetched_once(
    url: str, asked: list[str]
) -> None:
    who = make.actor()
    meeting = make.meeting(organization=who.organization)
    with JFK.open("rb") as file:
        answer = make.client(who).post(
            f"/api/v1/meetings/{meeting.id}/recordings/", {"file": file}, format="multipart"
        )
    assert answer.status_code == 202

    run_jobs()

    assert "country" in " ".join(Segment.objects.values_list("text", flat=True))
    assert asked.count("GetObject") == 1


def test_an_address_says_bucket_folder_and_how_to_get_there() -> None:
    assert bucket_of("/var/lib/files") is None
    assert bucket_of("s3://b") == Bucket("b")
    assert bucket_of("s3://b/x/y/?endpoint=https://e:9000&region=r&addressing=path") == Bucket(
        "b", "x/y", "https://e:9000", "r", "path"
    )
    assert faults_of("/var/lib/files") == []
    assert faults_of("s3://b/x?endpoint=http://minio:9000") == []


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("s3:///folder", "no bucket"),
        ("s3://key:secret@bucket", "user or a password"),
        ("s3://bucket:9000", "port"),
        ("s3://bucket#x", "fragment"),
        ("s3://bucket?regoin=x", "no regoin"),
        ("s3://bucket?endpoint=minio:9000", "endpoint"),
        ("s3://bucket?endpoint=ftp://minio", "endpoint"),
        ("s3://bucket?addressing=any", "addressing"),
        ("gs://bucket", "neither a folder"),
    ],
)
def test_an_address_of_nonsense_is_found(url: str, fault: str, settings: Settings) -> None:
    settings.STORAGE_URL = url

    (found,) = checks.check_storage_url()

    assert found.id == "core.E013"
    assert fault in found.msg


def test_a_bucket_without_a_folder_for_uploads_is_warned_of(url: str, settings: Settings) -> None:
    assert checks.check_upload_folder() == []
    settings.UPLOAD_FOLDER = ""

    assert [found.id for found in checks.check_upload_folder()] == ["core.W004"]
