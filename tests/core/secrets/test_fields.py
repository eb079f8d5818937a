"""A secret is a text on its row and nowhere else."""

from __future__ import annotations

import base64
import copy
import pickle
from typing import Any, ClassVar, cast

import pytest
from django.apps.registry import Apps
from django.contrib.admin.utils import display_for_field, lookup_field
from django.core import serializers
from django.core.exceptions import FieldError
from django.db import connection, models, transaction
from django.db.models import Value
from django.forms import modelform_factory
from pytest_django.fixtures import Settings
from rest_framework.serializers import ModelSerializer

from core.db.rows import BaseModel, new_id
from core.secrets.fields import EncryptedField, NotThroughTheRow, Sealed
from core.secrets.keyring import SealBroken, UnknownKey, key_id_of, keyring

TEXT = "whsec_Grüße, 世界"
ELSEWHERE = Apps()


class Locker(BaseModel):
    """A row as an app might have it; its table lives as long as a test."""

    organization_id = models.UUIDField(null=True)
    label = models.TextField(default="")
    secret = EncryptedField()
    spare = EncryptedField(null=True)
    objects: ClassVar[Any] = models.Manager()

    class Meta:
        apps = ELSEWHERE
        app_label = "lockers"


@pytest.fixture(autouse=True)
def table(db: None) -> None:
    """Goes as it came: with the transaction of the test."""
    with connection.schema_editor() as editor:
        editor.create_model(Locker)


def raw_rows() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT lockers_locker.*, lockers_locker::text FROM lockers_locker")
        return cursor.fetchall()


def made(**fields: Any) -> Locker:
    return Locker.objects.create(**{"secret": TEXT, "organization_id": new_id(), **fields})


def test_a_text_is_stored_sealed_and_read_again() -> None:
    row = made(spare="spare text")
    [stored] = raw_rows()
    read = Locker.objects.get()

    assert (row.secret, row.spare) == (read.secret, read.spare) == (TEXT, "spare text")
    assert all(word not in repr(stored) for word in ("whsec", "spare text", b"whsec".hex()))
    assert any(isinstance(part, bytes) and b"tests" in part for part in stored)


def test_nothing_is_stored_for_none_and_an_empty_text_is_a_text() -> None:
    made(secret="", spare=None)
    row = Locker.objects.get()

    assert (row.secret, row.spare) == ("", None)
    assert Locker.objects.filter(spare__isnull=True).exists()


def test_rows_in_bulk_deferred_and_read_afresh_keep_their_secrets() -> None:
    Locker.objects.bulk_create(Locker(secret=f"{TEXT} {n}", label=str(n)) for n in range(3))
    row = Locker.objects.only("label").get(label="2")
    assert row.secret == f"{TEXT} 2"

    Locker.objects.get(label="2").delete()
    again = Locker.objects.defer("secret").get(label="1")
    other = Locker.objects.get(label="1")
    other.secret = "changed"
    other.save(update_fields=["secret"])
    again.refresh_from_db()
    assert (again.secret, other.secret) == ("changed", "changed")


def test_a_row_is_saved_again_without_a_change_of_what_is_stored() -> None:
    made()
    [before] = Locker.objects.values_list("secret", flat=True)
    row = Locker.objects.get()
    row.label = "renamed"
    row.save()

    assert [before] == list(Locker.objects.values_list("secret", flat=True))


def test_a_value_copied_to_another_place_does_not_open() -> None:
    first, second = made(label="first"), made(label="second", spare="other")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE lockers_locker SET secret = (SELECT secret FROM lockers_locker WHERE id = %s)"
            " WHERE id = %s",
            [first.id, second.id],
        )
        cursor.execute("UPDATE lockers_locker SET spare = secret WHERE id = %s", [first.id])
    for row, name in ((second, "secret"), (first, "spare")):
        with pytest.raises(SealBroken, match="another row, column or organization"):
            getattr(Locker.objects.get(id=row.id), name)


def test_a_row_that_moves_takes_its_secret_along_only_when_it_is_read_first() -> None:
    made()
    row = Locker.objects.get()
    row.organization_id = new_id()
    with pytest.raises(SealBroken, match="assign it"), transaction.atomic():
        row.save()

    row = Locker.objects.get()
    text = row.secret
    row.organization_id, row.secret = new_id(), text
    row.save()
    assert Locker.objects.get().secret == TEXT


def test_what_goes_around_the_row_is_refused() -> None:
    row = made()
    rows = Locker.objects.all()
    row.secret = "another"
    refused: list[Any] = [
        lambda: rows.update(secret="plain"),
        lambda: rows.update(secret=Value("plain")),
        lambda: rows.update(secret=models.F("spare")),
        lambda: rows.bulk_update([row], ["secret"]),
    ]
    for attempt in refused:
        with pytest.raises(NotThroughTheRow) as caught, transaction.atomic():
            attempt()
        assert "plain" not in str(caught.value)
    for lookup in ("secret", "secret__contains", "secret__gt"):
        with pytest.raises(FieldError):
            rows.filter(**{lookup: TEXT})
    with pytest.raises(TypeError, match="takes a text"):
        Locker(secret=b"bytes")

    assert Locker.objects.get().secret == TEXT


def test_values_are_given_without_anything_to_read() -> None:
    made()
    [[value]] = Locker.objects.values_list("secret")

    assert isinstance(value, Sealed)
    assert f"{value} {value!r}" == "[sealed] [sealed]"


def test_nothing_that_prints_a_row_prints_its_secret() -> None:
    kinds: Any = ModelSerializer
    meta = type("Meta", (), {"model": Locker, "fields": "__all__"})
    serializer = type("LockerSerializer", (kinds,), {"Meta": meta})
    saved = made()
    unsaved = Locker(secret=TEXT, created_at=saved.created_at, updated_at=saved.updated_at)
    for row in (saved, Locker.objects.get(), unsaved):
        field, _, value = lookup_field("secret", row, None)
        shown = [
            repr(row),
            repr(vars(row)),
            serializers.serialize("json", [row]),
            serializers.serialize("xml", [row]),
            repr(serializer(row).data),
            modelform_factory(Locker, fields=["label"])(instance=row).as_p(),
            display_for_field(value, cast("Any", field), "-"),
        ]
        assert not [text for text in shown if "whsec" in text]
        assert '"secret": "[sealed]"' in shown[2]


def test_a_dump_cannot_be_loaded_as_if_it_held_the_secret() -> None:
    row = made()
    row.secret = "[sealed]"
    with pytest.raises(NotThroughTheRow), transaction.atomic():
        row.save_base(raw=True)  # as loaddata saves

    assert Locker.objects.get().secret == TEXT


def test_a_row_with_an_unsaved_secret_is_copied_but_not_pickled() -> None:
    row = Locker(secret=TEXT)
    with pytest.raises(NotThroughTheRow):
        pickle.dumps(vars(row)["secret"])
    assert copy.deepcopy(vars(row))["secret"].text == TEXT


def test_a_key_that_is_gone_is_named_and_the_rest_of_the_row_stays_in_use(
    settings: Settings,
) -> None:
    made()
    settings.SECRET_KEYS = f"later:{base64.b64encode(b'3' * 32).decode()}"
    row = Locker.objects.get()
    with pytest.raises(UnknownKey, match="'tests'") as caught:
        _ = row.secret
    row.label = "still here"
    row.save()

    assert "whsec" not in str(caught.value)
    assert Locker.objects.get().label == "still here"


def test_a_new_key_seals_what_is_written_from_then_on(settings: Settings) -> None:
    made()
    settings.SECRET_KEYS = f"new:{base64.b64encode(b'3' * 32).decode()},{settings.SECRET_KEYS}"
    row = Locker.objects.get()
    row.secret = row.secret
    row.save()
    [[sealed]] = Locker.objects.values_list("secret")

    assert key_id_of(sealed.stored) == keyring().newest == "new"
    assert Locker.objects.get().secret == TEXT


def test_a_model_that_cannot_work_is_found_at_start() -> None:
    class Wrong(models.Model):
        secret = EncryptedField(unique=True)

        class Meta:
            apps = Apps()
            app_label = "lockers"

    assert [finding.id for finding in Locker.check()] == []
    assert {finding.id for finding in Wrong.check()} >= {"core.E021", "core.E022"}
