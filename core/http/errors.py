"""From a meaning of "no" to a status and one body: `application/problem+json` (RFC 9457).

Views and services raise; `handle` answers. What nobody foresaw is raised on to Django, which logs
it with its traceback and asks `server_error` for the answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from django.conf import settings
from django.core import exceptions as django_errors
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views import defaults
from rest_framework import exceptions as drf_errors

from core import errors
from core.http.addresses import nearest_address
from core.monitoring.requests import current_request_id

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/api/problems/"


class BadRequest(errors.Invalid):
    """The request itself is malformed."""

    code = "bad_request"
    message = "The request could not be understood."


class WrongHost(errors.Invalid):
    """The Host header names a host that this server does not answer for."""

    code = "host.unknown"
    message = "This server does not answer for that host."


class BodyIncomplete(errors.Invalid):
    """Fewer bytes arrived than were announced."""

    code = "body.incomplete"
    message = "The body ended before the announced number of bytes had arrived."


class BodyTooSlow(errors.DomainError):
    """The client sent nothing for a while, or less than the least rate."""

    code = "body.too_slow"
    message = "The body of the request arrived too slowly."


class LengthRequired(errors.Invalid):
    """A body in chunks, or with a Content-Length that is no number."""

    code = "body.length_required"
    message = "Send the body with a Content-Length."


class MethodNotAllowed(errors.DomainError):
    """The address exists, the method does not."""

    code = "method_not_allowed"
    message = "This address does not answer that method."


class NotAcceptable(errors.DomainError):
    """No representation suits the Accept header."""

    code = "not_acceptable"
    message = "The answer is not available in the form you asked for."


class UnsupportedMediaType(errors.Invalid):
    """The body's Content-Type is not one this address reads."""

    code = "unsupported_media_type"
    message = "This address does not read bodies of that Content-Type."


class Unprocessable(errors.DomainError):
    """Well-formed and valid by itself, but not together with what came before."""

    code = "unprocessable"
    message = "This cannot be done as asked."


class Throttled(errors.TooBusy):
    """The asker sends more than is allowed."""

    code = "throttled"
    message = "You are sending more requests than allowed. Wait a little."


class InUse(errors.Conflict):
    """Other rows lean on the one that was to be deleted."""

    code = "in_use"
    message = "Something else still depends on this."


class Exists(errors.Conflict):
    """A unique constraint was met, by a request that was a moment too late for the check before."""

    code = "exists"
    message = "There is such a thing already."


class DatabaseAway(errors.TooBusy):
    """The database did not answer, or not in time."""

    code = "database_away"
    message = "The database did not answer in time. Try again shortly."


class Internal(errors.DomainError):
    """A mistake of ours; the log has it under the request id."""

    code = "internal"
    message = "Something went wrong on our side. It has been logged under the request id."


# The nearest class above an error decides.
STATUSES: dict[type[errors.DomainError], HTTPStatus] = {
    errors.DomainError: HTTPStatus.BAD_REQUEST,
    errors.Invalid: HTTPStatus.BAD_REQUEST,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.NotSignedIn: HTTPStatus.UNAUTHORIZED,
    errors.NotAllowed: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    # Not 429: waiting a moment does not help, and clients retry a 429 by themselves.
    errors.QuotaExceeded: HTTPStatus.PAYMENT_REQUIRED,
    errors.TooBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    BodyTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Unprocessable: HTTPStatus.UNPROCESSABLE_ENTITY,
    Throttled: HTTPStatus.TOO_MANY_REQUESTS,
    Internal: HTTPStatus.INTERNAL_SERVER_ERROR,
}

Fields = dict[str, list[str]]


def handle(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's exception handler, named in settings; None leaves the unforeseen to Django."""
    refusal = _refusal_of_view(error, context) or refusal_for(error)
    if refusal is None:
        return None
    return problem(refusal)


def _refusal_of_view(error: Exception, context: dict[str, Any]) -> errors.DomainError | None:
    """The refusals that name what the asked view answers or reads."""
    view, request = context.get("view"), context.get("request")
    if view is None or request is None:
        return None
    if isinstance(error, drf_errors.MethodNotAllowed):
        methods = ", ".join(view.allowed_methods)
        return MethodNotAllowed(f"This address answers {methods}, not {request.method}.")
    if isinstance(error, drf_errors.UnsupportedMediaType):
        read = " or ".join(parser.media_type for parser in view.parser_classes)
        sent = (request.content_type or "")[:100]
        given = f"not {sent}" if sent else "and the request names no Content-Type"
        return UnsupportedMediaType(f"This address reads {read}, {given}.")
    return None


def problem(refusal: errors.DomainError) -> HttpResponse:
    """The answer to a refusal."""
    status = status_of(refusal)
    response = HttpResponse(orjson.dumps(body_of(refusal)), content_type=MEDIA_TYPE, status=status)
    if refusal.retry_after is not None:
        response["Retry-After"] = str(max(1, math.ceil(refusal.retry_after)))
    if isinstance(refusal, errors.NotSignedIn):
        response["WWW-Authenticate"] = f'{refusal.asks_for} realm="minutebook"'
    return response


def body_of(refusal: errors.DomainError) -> dict[str, Any]:
    """The members of the problem; `fields` and `retry_after` only when they say something."""
    status = status_of(refusal)
    body: dict[str, Any] = {
        "type": f"{TYPE_PREFIX}{refusal.code}",
        "title": status.phrase,
        "status": int(status),
        "detail": refusal.detail,
        "code": refusal.code,
        "request_id": current_request_id(),
    }
    if refusal.fields:
        body["fields"] = refusal.fields
    if refusal.retry_after is not None:
        body["retry_after"] = refusal.retry_after
    return body


def status_of(refusal: errors.DomainError | type[errors.DomainError]) -> HTTPStatus:
    """The status of a refusal: that of the nearest class in the table."""
    kind = refusal if isinstance(refusal, type) else type(refusal)
    return next(STATUSES[above] for above in kind.__mro__ if above in STATUSES)


def all_codes() -> dict[str, type[errors.DomainError]]:
    """Every code that loaded modules may answer, with the class that says it."""
    return {kind.code: kind for kind in _refusals(errors.DomainError) if "code" in vars(kind)}


def _refusals(kind: type[errors.DomainError]) -> Iterator[type[errors.DomainError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _refusals(below)


# --- What other libraries raise ------------------------------------------------------------------


def refusal_for(error: Exception) -> errors.DomainError | None:
    """The refusal that an exception amounts to, or None for one that is a mistake of ours."""
    if isinstance(error, errors.DomainError):
        return error
    for kind, translate in TRANSLATIONS:
        if isinstance(error, kind):
            return translate(error)
    return None


def _from_validation(error: drf_errors.ValidationError) -> errors.DomainError:
    return _invalid(dict(flat_fields(error.detail)))


def _from_django_validation(error: django_errors.ValidationError) -> errors.DomainError:
    if hasattr(error, "error_dict"):
        return _invalid({k: list(v) for k, v in error.message_dict.items()})
    return _invalid({"": list(error.messages)})


def _invalid(fields: Fields) -> errors.DomainError:
    """What concerns no field becomes the sentence of the whole."""
    general = [*fields.pop("", []), *fields.pop(django_errors.NON_FIELD_ERRORS, [])]
    return errors.Invalid(" ".join(general) or None, fields=fields or None)


def flat_fields(detail: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """DRF's nested error detail as dotted names: `{"teams": {0: ["x"]}}` is `teams.0: ["x"]`.

    What concerns no single field goes under the name of what holds it, "" at the top.
    """
    if isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        detail = dict(enumerate(detail))
    if not isinstance(detail, dict):
        yield path, [str(item) for item in (detail if isinstance(detail, list) else [detail])]
        return
    for name, inner in detail.items():
        if inner:
            step = "" if name == "non_field_errors" else str(name)
            yield from flat_fields(inner, ".".join(filter(None, (path, step))))


def _from_throttled(error: Any) -> errors.DomainError:
    return Throttled(retry_after=error.wait)


def _from_data_error(error: Exception) -> errors.DomainError:
    # A value that PostgreSQL cannot hold came from outside, but a check of ours let it through.
    log.warning("http.data_error", exc_info=error)
    return errors.Invalid()


def _from_integrity_error(error: Exception) -> errors.DomainError | None:
    """Lost races are the client's to know; any other broken constraint is a mistake of ours."""
    match getattr(error.__cause__, "sqlstate", None):
        case "23505":  # unique_violation
            return Exists()
        case "23503":  # foreign_key_violation: what it names was deleted a moment ago
            return InUse()
    return None


def _from_operational_error(error: Exception) -> errors.DomainError:
    log.error("http.database_away", exc_info=error)
    return DatabaseAway(retry_after=5)


def _as(
    kind: type[errors.DomainError], *, detail: bool = False
) -> Callable[[Any], errors.DomainError]:
    """Translate to `kind`, with the library's own sentence when it is fit for the client."""
    return lambda error: kind(str(error.detail) if detail else None)


# Looked through in order: the special before the general.
TRANSLATIONS: list[tuple[type[Exception], Callable[[Any], errors.DomainError | None]]] = [
    (drf_errors.ValidationError, _from_validation),
    (drf_errors.ParseError, _as(BadRequest, detail=True)),
    (drf_errors.AuthenticationFailed, _as(errors.NotSignedIn, detail=True)),
    (drf_errors.NotAuthenticated, _as(errors.NotSignedIn)),
    (drf_errors.PermissionDenied, _as(errors.NotAllowed, detail=True)),
    (drf_errors.NotFound, _as(errors.NotFound)),
    (drf_errors.MethodNotAllowed, _as(MethodNotAllowed)),
    (drf_errors.NotAcceptable, _as(NotAcceptable)),
    (drf_errors.UnsupportedMediaType, _as(UnsupportedMediaType)),
    (drf_errors.Throttled, _from_throttled),
    (Http404, _as(errors.NotFound)),
    (django_errors.ObjectDoesNotExist, _as(errors.NotFound)),
    (django_errors.PermissionDenied, _as(errors.NotAllowed)),
    (django_errors.ValidationError, _from_django_validation),
    (django_errors.RequestDataTooBig, _as(errors.TooLarge)),
    (django_errors.BadRequest, _as(BadRequest)),
    (django_errors.SuspiciousOperation, _as(BadRequest)),
    (UnreadablePostError, _as(BodyIncomplete)),
    (ProtectedError, _as(InUse)),
    (RestrictedError, _as(InUse)),
    (IntegrityError, _from_integrity_error),
    (DataError, _from_data_error),
    (OperationalError, _from_operational_error),
    (InterfaceError, _from_operational_error),
]


def translate(kind: type[Exception], to: Callable[[Any], errors.DomainError | None]) -> None:
    """Let a package that this one does not know say what its exceptions amount to."""
    TRANSLATIONS.append((kind, to))


def api_not_found(request: HttpRequest, **_rest: str) -> HttpResponse:
    """A view for every address below /api/ that nothing else answers, also while DEBUG is on."""
    nearest = nearest_address(request.path)
    hint = f"Did you mean {nearest}?" if nearest else "/api/docs/ shows those that there are."
    return problem(errors.NotFound(f"There is no such address. {hint}"))


# --- Django's own handlers: addresses under /api/ that no view of the kit answers ---------------


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400."""
    if isinstance(exception, django_errors.DisallowedHost):
        return _wrong_host(request)
    if _is_api(request):
        return problem(refusal_for(exception) or BadRequest())
    return defaults.bad_request(request, exception)


def _wrong_host(request: HttpRequest) -> HttpResponse:
    """For the operator too, who has forgotten a setting or asks by another name."""
    host = request.META.get("HTTP_HOST", "")[:255]
    refusal = WrongHost(
        f"This server does not answer for the host {host!r}. Ask for {settings.PUBLIC_URL}, or add"
        " the host to the setting ALLOWED_HOSTS."
    )
    if _is_api(request):
        return problem(refusal)
    return HttpResponse(refusal.detail, content_type="text/plain", status=status_of(refusal))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403."""
    if _is_api(request):
        return problem(errors.NotAllowed())
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404."""
    if _is_api(request):
        return problem(errors.NotFound())
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: Django has logged the exception before it asks."""
    if _is_api(request):
        return problem(Internal())
    return defaults.server_error(request)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
