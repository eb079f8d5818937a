"""Keyset pages: one deep in a list costs what the first one does, and inserts do not shift it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured, ValidationError
from django.core.signing import BadSignature, Signer
from django.db.models import Field, Model, Q, QuerySet
from django.http import HttpRequest
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

from core import errors
from core.http.address import public_url

DEFAULT_ORDERING = ("-created_at", "-id")
DEFAULT_SIZE = 20
LARGEST_SIZE = 100


class InvalidCursor(errors.Invalid):
    """A cursor that this list did not hand out."""

    code = "cursor.invalid"
    message = "This cursor does not belong to this list. Start again without one."


class InvalidPageSize(errors.Invalid):
    """A page size that is no whole number from 1 to 100."""

    code = "page_size.invalid"
    message = f"page_size must be a whole number from 1 to {LARGEST_SIZE}."


class Column(NamedTuple):
    """One column of an ordering."""

    name: str
    falling: bool
    field: Field[Any, Any]


class Cursor(NamedTuple):
    """Where a page starts: right after the row with these values, or right before it.

    Without values it is the first page, or the last one when `backwards`.
    """

    values: tuple[str, ...]
    backwards: bool = False


class Page(NamedTuple):
    """The rows of one page and the cursors of its neighbours, None where there is none."""

    rows: list[Any]
    next: str | None
    previous: str | None


@lru_cache(maxsize=256)
def columns_of(model: type[Model], ordering: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns of an ordering that a keyset can walk.

    Raises ImproperlyConfigured for one it cannot: a column that may be NULL has no place in a
    comparison, and without a unique column at the end two rows could share a place.
    """
    columns = tuple(_column(model, name) for name in ordering)
    if not columns or not columns[-1].field.unique:
        raise ImproperlyConfigured(f"{model.__name__}: an ordering must end with a unique column")
    for column in columns:
        if column.field.null:
            raise ImproperlyConfigured(f"{model.__name__}.{column.name} may be NULL: no keyset")
    return columns


def _column(model: type[Model], name: str) -> Column:
    bare = name.removeprefix("-")
    try:
        field = model._meta.get_field("id" if bare == "pk" else bare)
    except FieldDoesNotExist as error:
        raise ImproperlyConfigured(f"{model.__name__} has no column {bare}") from error
    if not isinstance(field, Field) or field.is_relation:
        raise ImproperlyConfigured(f"{model.__name__}.{bare} is no column of its own")
    return Column(field.attname, name.startswith("-"), field)


def page_of(
    rows: QuerySet[Any],
    *,
    ordering: Sequence[str] = DEFAULT_ORDERING,
    cursor: str | None = None,
    size: int = DEFAULT_SIZE,
) -> Page:
    """One page of model instances or `.values()` dicts, with one query and no count.

    One row more than `size` is read to know whether there is a next page. Raises InvalidCursor.
    """
    model: Any = rows.model
    columns = columns_of(model, tuple(ordering))
    of = f"{model._meta.label}:{','.join(ordering)}"
    start = _read(cursor, of, columns) if cursor is not None else Cursor(())
    found = list(_rows_from(rows, columns, start)[: size + 1])
    ahead, found, behind = len(found) > size, found[:size], bool(start.values)
    if start.backwards:
        found.reverse()
        ahead, behind = behind, ahead
    return Page(
        found,
        _write(of, columns, found[-1:], backwards=False) if ahead else None,
        _write(of, columns, found[:1], backwards=True) if behind else None,
    )


def _rows_from(rows: QuerySet[Any], columns: Sequence[Column], start: Cursor) -> QuerySet[Any]:
    """The rows after (or before) the cursor, nearest first."""
    walk = [c._replace(falling=c.falling != start.backwards) for c in columns]
    if start.values:
        rows = rows.filter(_beyond(walk, start.values))
    return rows.order_by(*(f"-{c.name}" if c.falling else c.name for c in walk))


def _beyond(columns: Sequence[Column], values: Sequence[str]) -> Q:
    """Strictly after the values, as `a <= x AND NOT (a = x AND b >= y)` and so on inwards.

    PostgreSQL enters an index at `a <= x`. The usual `a < x OR (a = x AND b < y)` reads the whole
    list up to the page, as an OFFSET does.
    """
    column, value = columns[0], values[0]
    if len(columns) == 1:
        return Q(**{f"{column.name}__{'lt' if column.falling else 'gt'}": value})
    edge = Q(**{f"{column.name}__{'lte' if column.falling else 'gte'}": value})
    return edge & ~(Q(**{column.name: value}) & _up_to(columns[1:], values[1:]))


def _up_to(columns: Sequence[Column], values: Sequence[str]) -> Q:
    """The opposite of `_beyond`."""
    if len(columns) == 1:
        return Q(**{f"{columns[0].name}__{'gte' if columns[0].falling else 'lte'}": values[0]})
    return ~_beyond(columns, values)


def write_cursor(cursor: Cursor, *, of: str) -> str:
    """The cursor as an address carries it, signed with the name of its list."""
    return _signer(of).sign_object([cursor.values, cursor.backwards])


def read_cursor(text: str, *, of: str) -> Cursor:
    """The cursor that was written for this list. Raises InvalidCursor."""
    try:
        values, backwards = _signer(of).unsign_object(text)
    except (BadSignature, ValueError, TypeError) as error:
        raise InvalidCursor from error
    return Cursor(tuple(values), backwards)


def _signer(of: str) -> Signer:
    return Signer(sep=".", salt=f"core.http.cursor:{of}")


def _write(of: str, columns: Sequence[Column], edge: list[Any], *, backwards: bool) -> str:
    """The cursor at the row on the edge of a page; at the end of the list when the page is empty.

    A page empties when its rows were deleted after its address was handed out.
    """
    values = tuple(_text_of(row, column) for row in edge for column in columns)
    return write_cursor(Cursor(values, backwards), of=of)


def _text_of(row: Any, column: Column) -> str:
    value = row[column.name] if isinstance(row, Mapping) else getattr(row, column.name)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _read(text: str, of: str, columns: Sequence[Column]) -> Cursor:
    """Signed with the list's name, so whatever passes was written here and fits the columns."""
    cursor = read_cursor(text, of=of)
    try:
        for column, value in zip(columns, cursor.values, strict=False):
            column.field.to_python(value)
    except (ValueError, TypeError, ValidationError) as error:
        raise InvalidCursor from error
    return cursor


class CursorPages(BasePagination):
    """DRF's door to `page_of`: `{results, next, previous}`, where both are addresses or null.

    The view names its order in `ordering`; `?page_size=` takes 1 to 100, 20 when absent.
    """

    cursor_parameter = "cursor"
    size_parameter = "page_size"

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        ordering = getattr(view, "ordering", DEFAULT_ORDERING)
        self.request: HttpRequest = request
        self.page = page_of(
            queryset,
            ordering=ordering,
            cursor=request.query_params.get(self.cursor_parameter),
            size=size_from(request.query_params.get(self.size_parameter)),
        )
        return self.page.rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "results": data,
                "next": self._address(self.page.next),
                "previous": self._address(self.page.previous),
            }
        )

    def _address(self, cursor: str | None) -> str | None:
        if cursor is None:
            return None
        parts = urlsplit(public_url(self.request.get_full_path()))
        kept = parse_qsl(parts.query, keep_blank_values=True)
        query = [(name, value) for name, value in kept if name != self.cursor_parameter]
        query.append((self.cursor_parameter, cursor))
        return urlunsplit(parts._replace(query=urlencode(query)))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": LARGEST_SIZE, "default": DEFAULT_SIZE}
        return [
            _parameter(self.cursor_parameter, {"type": "string"}, "From `next` or `previous`."),
            _parameter(self.size_parameter, size, "Rows on a page."),
        ]


def size_from(text: str | None) -> int:
    """The page size asked for. Raises InvalidPageSize."""
    if text is None:
        return DEFAULT_SIZE
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise InvalidPageSize
    if not 1 <= int(text) <= LARGEST_SIZE:
        raise InvalidPageSize
    return int(text)


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
    }
