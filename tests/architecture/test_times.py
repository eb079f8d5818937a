"""Times of rows are the database's: see also the names that ruff bans in pyproject.toml."""

from __future__ import annotations

from django.apps import apps
from django.db.models import DateField

OURS = ("core", "meetings", "exports", "webhooks", "billing")


def test_no_column_takes_its_time_from_the_process() -> None:
    columns = [
        f"{model.__name__}.{column.name}"
        for model in apps.get_models()
        if model._meta.app_label in OURS
        for column in model._meta.local_fields
        if isinstance(column, DateField)
        and (column.auto_now or column.auto_now_add or column.has_default())
    ]
    assert columns == []
