"""What is known about stored bytes."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from core.db.rows import OrganizationModel


class FileProblem(models.TextChoices):
    """How stored bytes were found to differ from their row."""

    MISSING = "missing"
    DAMAGED = "damaged"


class StoredFile(OrganizationModel):
    """One content of one organization, however many rows use it.

    `references` counts those rows; the bytes are deleted, by a job, when the last one is gone.
    `problem` is what the last verification found.
    """

    key = models.CharField(max_length=200, unique=True)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    media_type = models.CharField(max_length=100)
    references = models.PositiveIntegerField(default=1)
    verified_at = models.DateTimeField(null=True, blank=True, db_index=True)
    problem = models.CharField(max_length=10, choices=FileProblem, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organization", "sha256"), name="stored_file_content"),
        )
        indexes = (
            models.Index(fields=("id",), name="stored_file_problem", condition=~Q(problem="")),
        )

    def __str__(self) -> str:
        return self.key


class PendingFile(OrganizationModel):
    """Bytes that are being stored, from before their first byte until their `StoredFile` commits.

    The row goes in the transaction that writes the `StoredFile`. A row that outlives its time names
    bytes whose process, or whose database, went away in between: they are removed.
    """

    key = models.CharField(max_length=200, unique=True)
    settle_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key


class StorageMarker(models.Model):
    """The id in a file of the storage that belongs to this database; there is one row.

    `written_at` is empty until the first start has written the file.
    """

    ONLY = 1

    id = models.SmallIntegerField(primary_key=True, default=ONLY)
    value = models.UUIDField(default=uuid.uuid4)
    written_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="storage_marker_only"),)

    def __str__(self) -> str:
        return str(self.value)
