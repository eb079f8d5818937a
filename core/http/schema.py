"""The OpenAPI description: problems, idempotency keys and organizations on every operation."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, get_doc
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from core.http import errors, idempotency
from core.http.serializers import StrictFields
from core.http.views import IDS_MEDIA_TYPE, ApiView

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "An error (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "An address that explains the code.",
        },
        "title": {"type": "string", "description": "The name of the status."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for people."},
        "code": {"type": "string", "description": "Stable, for programs."},
        "request_id": {"type": "string", "description": "Quote it when you ask for help."},
        "fields": {
            "type": "object",
            "description": "Messages by the dotted name of the field.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "retry_after": {"type": "number", "description": "Seconds to wait before trying again."},
    },
}

IDS: dict[str, Any] = {
    "type": "object",
    "description": "The answer to a write by an API key without the scope to read: ids alone.",
    "properties": {"id": {"type": "string", "format": "uuid"}},
    "additionalProperties": {"type": "object"},
}

IDEMPOTENCY_KEY = OpenApiParameter(
    idempotency.HEADER,
    {"type": "string", "pattern": f"^{idempotency.ACCEPTABLE.pattern}$"},
    OpenApiParameter.HEADER,
    description="1 to 255 printable ASCII characters. For 24 hours the same key and body get the "
    "same answer, and nothing is done twice.",
)
ORGANIZATION = OpenApiParameter(
    "X-Organization",
    OpenApiTypes.UUID,
    OpenApiParameter.HEADER,
    description="The organization to act for, if a signed-in person belongs to several. An API key "
    "belongs to one.",
)

# What each status means on any operation; which ones an operation has is decided below.
MEANINGS = {
    400: "Something in the request is not valid.",
    401: "The API key or the session is missing or not valid.",
    403: "The role, or the scopes of the API key, do not permit this.",
    404: "It does not exist, or is not visible to you.",
    409: "The current state does not permit this.",
    413: "The body is larger than allowed.",
    415: "The body's media type is not one that this address reads.",
    422: "The idempotency key was used for a different request.",
    503: "The server is busy, or something it needs does not answer. Try again later.",
}


SUCCESSES = {
    "200": "Done.",
    "201": "Created.",
    "202": "Accepted: the work follows in the background.",
    "206": "The requested range.",
}

# The names of operations without a docstring, by the end of their ids.
NAMES = {
    "list": "List {many}",
    "retrieve": "Read {one}",
    "create": "Create {one}",
    "partial_update": "Change {one}",
    "destroy": "Delete {one}",
}
# The filters that lists of several apps have.
FILTERS = {
    "created_after": "Created after this time.",
    "created_before": "Created before this time.",
    "status": "Has this status.",
    "kind": "Is of this kind.",
}
FIRST_SENTENCE = re.compile(r"\s*(.+?[.?!])(?:\s|$)", re.S)


class Schema(AutoSchema):
    """AutoSchema that adds what the kit does to every operation of its views."""

    def get_operation(self, *args: Any, **options: Any) -> Any:
        """What is open to everybody says so, instead of saying nothing."""
        operation = super().get_operation(*args, **options)
        if operation is None:
            return None
        operation.setdefault("security", [])
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query" and parameter["schema"].get("type") == "string":
                parameter["schema"].setdefault("minLength", 1)  # empty ones are refused
        return operation

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        schema: Any = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if direction == "request" and isinstance(serializer, StrictFields):
            schema["additionalProperties"] = False
        return schema

    def get_summary(self) -> str:
        """The first sentence of what the method says of itself, else a name made from its id."""
        handler = getattr(self.view, getattr(self.view, "action", None) or self.method.lower())
        said = FIRST_SENTENCE.match(get_doc(handler))
        if said:
            return " ".join(said[1].split()).rstrip(".")
        verb = next(end for end in NAMES if self.get_operation_id().endswith(f"_{end}"))
        return NAMES[verb].format(many=self._noun(), one=_one_of(self._noun()))

    def get_description(self) -> str:  # type: ignore[override]
        """The docstring of the method after its summary; that of a list is its view's."""
        handler = getattr(self.view, getattr(self.view, "action", None) or self.method.lower())
        words = get_doc(handler)
        if words:
            return FIRST_SENTENCE.sub("", words, count=1).strip()
        return get_doc(type(self.view)) if self.get_operation_id().endswith("_list") else ""

    def _get_filter_parameters(self) -> list[Any]:
        parameters = super()._get_filter_parameters()  # type: ignore[no-untyped-call]
        for parameter in parameters:
            if not parameter.get("description") and parameter["name"] in FILTERS:
                parameter["description"] = FILTERS[parameter["name"]]
        return parameters

    def _noun(self) -> str:
        """What the address is about: its last part that is no id."""
        parts = [part for part in self.path.split("/") if part and not part.startswith("{")]
        return parts[-1].replace("-", " ").replace("api ", "API ")

    def get_override_parameters(self) -> list[Any]:
        added = []
        if self._is_idempotent():
            added.append(IDEMPOTENCY_KEY)
        if self._is_guarded():
            added.append(ORGANIZATION)
        return added

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for refusal in self._refusals():
            bodies.setdefault(str(refusal), self._problem(MEANINGS[refusal]))
        for status, body in bodies.items():
            body["description"] = body["description"] or SUCCESSES.get(status, "")
        self._describe_ids(bodies)
        return bodies

    def _describe_ids(self, bodies: dict[str, Any]) -> None:
        """Successful writes answer an API key without the read scope with ids alone."""
        if self.method == "GET" or not self._is_guarded():
            return
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name="Ids", type=ResolvedComponent.SCHEMA, schema=IDS, object="Ids"
        )
        for status, body in bodies.items():
            if status.startswith("2") and "application/json" in body.get("content", {}):
                self.registry.register_on_missing(component)
                body["content"][IDS_MEDIA_TYPE] = {"schema": component.ref}

    def _refusals(self) -> list[int]:
        if not isinstance(self.view, ApiView):
            return []
        statuses = [400, 503]
        if self._is_guarded():
            statuses += [401, 403]
        if "{" in self.path or self._is_guarded():
            statuses.append(404)
        if self.method != "GET":
            statuses.append(409)
        if self.method in ("POST", "PATCH"):
            statuses += [413, 415]
        if self._is_idempotent():
            statuses.append(422)
        return sorted(statuses)

    def _problem(self, description: str) -> dict[str, Any]:
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name="Problem", type=ResolvedComponent.SCHEMA, schema=PROBLEM, object="Problem"
        )
        self.registry.register_on_missing(component)
        return {
            "description": description,
            "content": {errors.MEDIA_TYPE: {"schema": component.ref}},
        }

    def _is_idempotent(self) -> bool:
        return self.method == "POST" and isinstance(self.view, ApiView) and self.view.idempotent

    def _is_guarded(self) -> bool:
        return isinstance(self.view, ApiView) and bool(self.view.authentication_classes)


def _one_of(nouns: str) -> str:
    """`meetings` as `a meeting`, `deliveries` as `a delivery`: our nouns are all regular."""
    noun = f"{nouns[:-3]}y" if nouns.endswith("ies") else nouns.removesuffix("s")
    return f"{'an' if noun[0] in 'aeiouA' else 'a'} {noun}"
