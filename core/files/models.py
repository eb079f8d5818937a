"""What is known about stored bytes."""

from __future__ import annotations

from django.db import models

from core.db.rows import OwnedRow


class FileProblem(models.TextChoices):
    """How stored bytes were found to differ from their row."""

    MISSING = "missing"
    DAMAGED = "damaged"


class StoredFile(OwnedRow):
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

    def __str__(self) -> str:
        return self.key


class PendingFile(OwnedRow):
    """Bytes that are being stored, from before their first byte until their `StoredFile` commits.

    The row goes in the transaction that writes the `StoredFile`. A row that outlives its time names
    bytes whose process, or whose database, went away in between: they are removed.
    """

    key = models.CharField(max_length=200, unique=True)
    settle_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key
