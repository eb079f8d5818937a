"""`EncryptedField`: a text that the database, its copies and its dumps cannot read.

    class EndpointSecret(OrganizationModel):
        value = EncryptedField()

    EndpointSecret.objects.create(organization=..., value="whsec_...").value   # the text again

The text is sealed when a row is saved (also by `bulk_create`) and opened each time the attribute is
read. Table, column, the row's id and its organization go into the seal, so that a value copied to
another place does not open; renaming a table or column therefore needs its values sealed again.
Whatever goes around the row gets nothing to read: `update()`, `bulk_update()` and filters refuse a
text, `values()` gives a `Sealed`, and dumps, admin pages and serializers show a mark.
"""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from core.secrets.keyring import SealBroken, SecretsError, UnknownKey, keyring

MARK = "[sealed]"


class NotThroughTheRow(SecretsError):
    """A text met the database without the row it belongs to, so it cannot be sealed."""


class Sealed:
    """A stored value as it lies in the database; only the attribute of its own row opens it."""

    __slots__ = ("stored",)

    def __init__(self, stored: bytes) -> None:
        self.stored = stored

    def __repr__(self) -> str:
        return MARK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and other.stored == self.stored

    def __hash__(self) -> int:
        return hash(self.stored)


class Unsealed:
    """A text that was assigned and is not saved yet, kept from whatever prints a row's parts."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return MARK

    def __reduce__(self) -> Any:
        raise NotThroughTheRow("A row with an unsaved secret cannot be pickled. Save it first.")

    def __deepcopy__(self, _memo: Any) -> Unsealed:
        return self


class EncryptedAttribute(DeferredAttribute):
    """The field on a row: takes a text or None, gives it back, and holds no text once saved."""

    field: EncryptedField

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        if instance is None:
            return self
        held = super().__get__(instance, cls)
        if isinstance(held, Sealed):
            return keyring().open(held.stored, context=self.field.context_of(instance))
        return held.text if isinstance(held, Unsealed) else held

    def __set__(self, instance: models.Model, value: Any) -> None:
        if isinstance(value, str):
            value = Unsealed(value)
        elif value is not None and not isinstance(value, Sealed | Unsealed):
            # A default of the database or an expression would be stored as it stands.
            raise TypeError(f"{self.field.name} takes a text or None, not {type(value).__name__}.")
        instance.__dict__[self.field.attname] = value


class EncryptedField(models.Field):
    """A text sealed in a `bytea` column. Its row needs an id before it is saved.

    Reading raises `UnknownKey`, which names the id of a key that `SECRET_KEYS` lacks, or
    `SealBroken` for a value that is damaged or was copied from elsewhere.
    """

    description = "A text that only this installation can read"
    descriptor_class = EncryptedAttribute
    empty_strings_allowed = False

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("editable", False)
        super().__init__(*args, **options)

    def get_internal_type(self) -> str:
        return "BinaryField"

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        return [*super().check(**kwargs), *self._check_options(), *self._check_row_id()]

    def context_of(self, row: models.Model) -> bytes:
        """Where a value belongs: table, column, row and, if it has one, its organization."""
        if row.pk is None:
            raise NotThroughTheRow(f"{self} is sealed with the row's id, and there is none yet.")
        organization = getattr(row, "organization_id", None)
        table = self.model._meta.db_table
        parts = (table, self.column or "", str(row.pk), str(organization or ""))
        return b"".join(len(part.encode()).to_bytes(4) + part.encode() for part in parts)

    # --- From and to the database --------------------------------------------------------------

    def from_db_value(self, value: bytes | None, *_args: Any) -> Sealed | None:
        return None if value is None else Sealed(bytes(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed | None:
        """Seal a new text; check that an old one is saved where it was sealed."""
        held = model_instance.__dict__.get(self.attname)
        context = self.context_of(model_instance)
        if isinstance(held, Unsealed):
            held = Sealed(keyring().seal(held.text, context=context))
            setattr(model_instance, self.attname, held)
        elif isinstance(held, Sealed):
            self._check_place(held, context)
        return held

    def get_prep_value(self, value: Any) -> bytes | None:
        if value is None:
            return None
        if isinstance(value, Sealed):
            return value.stored
        raise NotThroughTheRow(
            f"{self} is sealed with its row: assign it there and save(). It can be neither"
            " updated nor looked for in bulk."
        )

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        """The only word a field has in `update()`: an expression would be stored as it stands."""
        if hasattr(value, "resolve_expression"):
            raise NotThroughTheRow(f"{self} cannot be updated by an expression.")
        return "%s"

    def get_lookup(self, lookup_name: str) -> Any:
        """`isnull` and nothing else: equal texts are stored as different bytes."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def get_transform(self, lookup_name: str) -> None:
        return None

    @staticmethod
    def _check_place(held: Sealed, context: bytes) -> None:
        try:
            keyring().open(held.stored, context=context)
        except UnknownKey:
            pass  # the rest of a row can be saved while a key is missing
        except SealBroken as error:
            raise SealBroken(
                f"{error} To move a secret, read it from its row and assign it to the other."
            ) from None

    # --- What prints rows -----------------------------------------------------------------------

    @property
    def flatchoices(self) -> list[tuple[Any, Any]]:
        """Staff pages show a value by its name among these, so they show none."""
        return [(None, None)]

    def value_from_object(self, obj: models.Model) -> Any:
        """For dumps, forms and serializers, which must not get the text."""
        return obj.__dict__.get(self.attname) and MARK

    def value_to_string(self, obj: models.Model) -> str:
        return MARK

    def formfield(self, *_args: Any, **_options: Any) -> None:
        return None

    # --- Checks -----------------------------------------------------------------------------------

    def _check_options(self) -> list[checks.CheckMessage]:
        wrong = [n for n in ("primary_key", "unique", "db_index") if getattr(self, n)]
        wrong += ["choices"] if self.choices else []
        hint = "Keep a hash of the text in another column to look for it."
        return [
            checks.Error(f"{name} means nothing here.", hint=hint, obj=self, id="core.E021")
            for name in wrong
        ]

    def _check_row_id(self) -> list[checks.CheckMessage]:
        key = self.model._meta.pk
        if key is None or key.has_default() or key.is_relation:
            return []
        hint = "Derive the model from core.db.rows.BaseModel."
        text = "The row has no id before it is saved, so nothing can be sealed with it."
        return [checks.Error(text, hint=hint, obj=self, id="core.E022")]
