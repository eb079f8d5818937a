"""The views that every API view starts from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from rest_framework import mixins
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from core import errors
from core.http import idempotency
from core.http.errors import LengthRequired
from core.http.parsers import limit_of
from core.http.text import check_text

IDS_MEDIA_TYPE = "application/vnd.minutebook.ids+json"


class JsonOnlyNegotiation(DefaultContentNegotiation):
    """Answers in the first form the view has, whatever Accept or `?format=` ask for.

    There is only JSON, RFC 9110 allows it, and `format` stays free as the name of a filter.
    """

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """An APIView that knows who asks and carries out a repeated POST once.

    `scope_family` names the scopes it needs (see `core.accounts.permissions`). `idempotent` is
    False where a POST has an identity of its own, as an upload has its content.
    `query_parameters` are those that each action of a viewset, or method of a view, reads beside
    the filters of a list; None takes any.
    `unkept_fields` of an answer, or `outer.inner` ones, are shown once and never stored. A view
    that reads larger JSON than others has a `json_max_bytes`.
    """

    scope_family: ClassVar[str | None]
    idempotent: ClassVar[bool] = True
    unkept_fields: ClassVar[tuple[str, ...]] = ()
    query_parameters: ClassVar[Mapping[str, tuple[str, ...]] | None] = {}
    content_negotiation_class = JsonOnlyNegotiation
    request: Any

    @property
    def actor(self) -> Any:
        """The Actor that asks. Raises NotSignedIn without one."""
        actor = getattr(self.request, "actor", None)
        if actor is None:
            raise errors.NotSignedIn
        return actor

    def perform_authentication(self, request: Any) -> None:
        """Authenticate now, and put what authentication found where everything looks for it."""
        super().perform_authentication(request)
        request.actor = request.auth

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        for name, values in request.query_params.lists():
            check_text(name, *values)
        if "Transfer-Encoding" in request.headers and not request.META.get("CONTENT_LENGTH"):
            raise LengthRequired
        super().initial(request, *args, **kwargs)
        self._check_query(request)
        if request.method == "POST" and self.idempotent:
            self._answer_post_once(request)

    def _check_query(self, request: Request) -> None:
        """Refuse parameters that this address does not read; a list's filters check its own."""
        name = getattr(self, "action", None) or str(request.method).lower()
        if self.query_parameters is None or name == "list" or request.method == "OPTIONS":
            return
        known = self.query_parameters.get("get" if name == "head" else name, ())
        reads = f"This address has: {', '.join(known)}." if known else "This address has none."
        unknown = [parameter for parameter in request.query_params if parameter not in known]
        if unknown:
            message = f"There is no such parameter. {reads}"
            raise ValidationError({parameter: [message] for parameter in unknown})

    def prepare_post(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """What a POST with an Idempotency-Key does before its transaction: asking the network.

        May refuse. What it found must be at hand when the POST itself looks for it.
        """

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        self._limit_to_ids(response)
        return super().finalize_response(request, response, *args, **kwargs)

    def _limit_to_ids(self, response: Any) -> None:
        """Leave only ids in the answer to a write by a key that may not read what it wrote.

        A key that may only upload, or only ask for exports, must not receive contents or links.
        """
        if self.request.method in SAFE_METHODS or response.status_code >= HTTPStatus.BAD_REQUEST:
            return
        actor, family = getattr(self.request, "auth", None), self._scope_family()
        if actor is None or family is None or actor.has_scope(f"{family}:read"):
            return
        if isinstance(response, Response):
            response.data = ids_in(response.data)
            response.content_type = IDS_MEDIA_TYPE
        elif response.content:  # repeated for its Idempotency-Key, and limited when it was stored
            response["Content-Type"] = IDS_MEDIA_TYPE

    def _scope_family(self) -> str | None:
        special = getattr(self, "required_scopes", {}).get(getattr(self, "action", None))
        return special.partition(":")[0] if special else getattr(self, "scope_family", None)

    def _answer_post_once(self, request: Request) -> None:
        key, post = idempotency.key_of(request), getattr(self, "post", None)
        if key is not None and post is not None and request.user is not None:
            vars(self)["post"] = partial(self._once, key, post)

    def _once(
        self,
        key: str,
        post: Callable[..., HttpResponseBase],
        request: Request,
        *args: Any,
        **kwargs: Any,
    ) -> HttpResponseBase:
        def answer() -> HttpResponseBase:
            response = post(request, *args, **kwargs)
            self._limit_to_ids(response)  # before the answer is stored for repetition
            return response

        return idempotency.answer_once(
            request,
            key,
            answer,
            max_bytes=limit_of(self),
            unkept_fields=self.unkept_fields,
            prepare=partial(self.prepare_post, request, *args, **kwargs),
        )


def ids_in(data: Any) -> Any:
    """The `id` of an answer's object, and those of the objects in it; None for any other data."""
    if not isinstance(data, Mapping):
        return None
    inner = {name: ids_in(value) for name, value in data.items() if isinstance(value, Mapping)}
    return {name: value for name, value in {"id": data.get("id"), **inner}.items() if value}


class RowViewSet(ApiView, GenericViewSet[Any]):
    """Rows behind the one gate: every query starts at `visible_to(actor)`, the rest is a 404.

    There is no PUT: a PATCH leaves alone the fields that its sender never heard of.
    """

    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    ordering: ClassVar[tuple[str, ...]] = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[Any]:
        rows: Any = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            empty: QuerySet[Any] = rows.none()
            return empty
        visible: QuerySet[Any] = rows.visible_to(self.actor)
        return visible


class ReadViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, RowViewSet):
    """Lists and shows rows."""


class ModelViewSet(
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    mixins.ListModelMixin,
    RowViewSet,
):
    """Plain editing of one row at a time; new rows belong to the actor's organization."""

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        serializer.save(organization=self.actor.organization)
