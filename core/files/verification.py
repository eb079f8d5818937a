"""Finding stored files that were lost or damaged after they were accepted."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db.models import F, ManyToOneRel, Q, QuerySet
from django.db.models.functions import Now

from core.files.errors import FileDamaged, FileMissing
from core.files.marker import check_storage
from core.files.models import FileProblem, StoredFile
from core.files.services import check_size, has_local_paths, sha256_of

log = structlog.get_logger(__name__)

VERIFY_EVERY = timedelta(days=30)


def files_to_verify() -> QuerySet[StoredFile]:
    """Return the files that were not verified for a month, those that never were first."""
    due = Q(verified_at=None) | Q(verified_at__lt=Now() - VERIFY_EVERY)
    found: QuerySet[StoredFile] = StoredFile.objects.filter(due)
    return found.order_by(F("verified_at").asc(nulls_first=True), "id")


def verify(stored: StoredFile) -> str:
    """Compare the bytes with their row, record the problem found and return it; "" for none.

    On a disk every byte is read. A bucket keeps checksums itself, so its size is compared.
    Raises WrongStorage: a file that another storage lacks is not lost.
    """
    problem = _problem_of(stored)
    if problem:
        check_storage()
    changed = StoredFile.objects.filter(id=stored.id).update(problem=problem, verified_at=Now())
    if not changed:  # the row was deleted meanwhile, and its bytes with it
        return ""
    if problem:
        log.error("storage.file_problem", problem=problem, key=stored.key)
    return problem


def _problem_of(stored: StoredFile) -> str:
    try:
        check_size(stored)
        if has_local_paths() and sha256_of(stored) != stored.sha256:
            return FileProblem.DAMAGED.value
    except FileMissing:
        return FileProblem.MISSING.value
    except FileDamaged:
        return FileProblem.DAMAGED.value
    return ""


def rows_naming(stored: StoredFile) -> list[str]:
    """Return the rows of all apps that use the file, as `exports.Export` and an id."""
    found: list[str] = []
    for relation in StoredFile._meta.get_fields(include_hidden=True):
        if isinstance(relation, ManyToOneRel):
            users = relation.related_model._default_manager
            ids = users.filter(**{relation.field.name: stored.id}).values_list("pk", flat=True)
            found += [f"{users.model._meta.label} {row_id}" for row_id in ids]
    return found
