"""Files in a bucket of S3, or of what speaks like it, through django-storages and boto3.

Nothing is held in memory whole: recordings go up from their file in parts, and come down in blocks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from typing import Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

from core.files.errors import FileDamaged, StorageAway
from core.files.incoming import BLOCK_BYTES
from core.files.storage_url import Bucket

# Recordings go up in parts of this size; 10,000 of them, as many as S3 takes, are 80 GB.
PART_BYTES = 8 * 1024**2
PARTS_AT_ONCE = 4


class BucketStorage(S3Storage):
    """The bucket of STORAGE_URL. Credentials come from the environment or the machine's role."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(
            bucket_name=bucket.name,
            location=bucket.folder,
            endpoint_url=bucket.endpoint,
            region_name=bucket.region,
            default_acl=None,
            file_overwrite=True,  # keys are ids: looking first would only cost a request
            client_config=_config(bucket),
            transfer_config=TransferConfig(
                multipart_threshold=PART_BYTES,
                multipart_chunksize=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            ),
        )

    def _save(self, name: str, content: Any) -> str:
        """Place all of the content under the name, or leave nothing. Raises StorageAway.

        Straight from the disk where the file lies on one: then no part waits in memory.
        """
        expected = content.size
        with _answered():
            if not hasattr(content, "temporary_file_path"):
                super()._save(name, content)
            else:
                self.bucket.upload_file(
                    content.temporary_file_path(),
                    self._normalize_name(name),
                    ExtraArgs={"ContentType": self.default_content_type},
                    Config=self.transfer_config,
                )
            # Not every server that speaks S3 checks the length of what it was sent.
            if self.bucket.Object(self._normalize_name(name)).content_length != expected:
                super().delete(name)
                raise StorageAway
        return name

    def exists(self, name: str) -> bool:
        with _answered():
            found: bool = super().exists(name)
            return found

    def delete(self, name: str) -> None:
        with _answered():
            super().delete(name)

    def check_bucket(self) -> None:
        """Raises FileNotFoundError when there is no such bucket, StorageAway when it refuses."""
        with _answered():
            self.connection.meta.client.head_bucket(Bucket=self.bucket_name)

    def size(self, name: str) -> int:
        """The number of bytes under a name. Raises FileNotFoundError."""
        with _answered():
            found: int = self.bucket.Object(self._normalize_name(name)).content_length
            return found

    def read_part(self, name: str, start: int, length: int, *, total: int) -> Iterator[bytes]:
        """Some bytes in blocks, asked of the bucket at once. Raises FileNotFoundError.

        Raises FileDamaged unless the object has `total` bytes.
        """
        if length <= 0:
            return iter(())
        wanted = f"bytes={start}-{start + length - 1}"
        with _answered():
            found = self.bucket.Object(self._normalize_name(name)).get(Range=wanted)
        if found["ContentRange"].rpartition("/")[2] != str(total):
            found["Body"].close()
            raise FileDamaged
        return _blocks(found["Body"])

    def forget_unfinished(self, before: datetime) -> None:
        """End uploads in parts that began before: their process was killed, and parts are paid."""
        client = self.connection.meta.client
        with _answered():
            pages = client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.bucket_name, Prefix=self.location
            )
            for upload in (each for page in pages for each in page.get("Uploads", ())):
                if upload["Initiated"] < before:
                    client.abort_multipart_upload(
                        Bucket=self.bucket_name, Key=upload["Key"], UploadId=upload["UploadId"]
                    )


def _config(bucket: Bucket) -> Config:
    """Patience for seconds, not minutes; and no checksums that only AWS itself understands."""
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": bucket.addressing},
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 3},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


def _blocks(body: Any) -> Iterator[bytes]:
    with contextlib.closing(body), _answered():
        yield from body.iter_chunks(BLOCK_BYTES)


@contextmanager
def _answered() -> Iterator[None]:
    """What the bucket says, in the words of this house."""
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status == HTTPStatus.NOT_FOUND:
            raise FileNotFoundError from error
        if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise FileDamaged from error
        raise StorageAway(retry_after=30) from error
    except (BotoCoreError, Boto3Error) as error:
        raise StorageAway(retry_after=30) from error
