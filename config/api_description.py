"""The OpenAPI description as a whole: its introduction, and its groups in the order of use.

What single operations say stands in the docstrings of their views.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import condition, require_safe

FILE = Path(__file__).with_name("openapi.json")
INTRODUCTION = Path(__file__).parents[1] / "templates" / "api" / "introduction.md"


class Group(NamedTuple):
    """Operations that are shown together: those whose path begins like this."""

    name: str
    description: str
    path: str


GROUPS = (
    Group("Me", "The person and the organization that a request acts for.", "v1/me/"),
    Group("Meetings", "Meetings with their participants and times.", r"v1/meetings/({id}/)?$"),
    Group(
        "Recordings",
        "Audio or video of a meeting. Each upload starts a transcription.",
        "v1/(recordings|meetings/{meeting_id}/recordings)/",
    ),
    Group(
        "Transcripts",
        "The text of a meeting, transcribed or sent in, with times and speakers.",
        "v1/meetings/{meeting_id}/transcript/",
    ),
    Group(
        "Analysis",
        "Summary, topics, decisions and action items, each with its evidence.",
        "v1/meetings/{meeting_id}/analysis/",
    ),
    Group(
        "Decisions and action items",
        "The findings in all meetings, to confirm, dismiss, edit and complete.",
        "v1/(decisions|action-items)/",
    ),
    Group("Exports", "A meeting as a file: PDF, Word, captions and others.", "v1/exports/"),
    Group("Jobs", "Background work: status, progress and errors.", "v1/jobs/"),
    Group(
        "Webhook endpoints",
        "Where events of your organization are sent.",
        "v1/webhooks/(endpoints|event-types)/",
    ),
    Group(
        "Webhook deliveries",
        "The log of what was sent to endpoints, and sending again.",
        "v1/webhooks/deliveries/",
    ),
    Group(
        "Inbound webhooks",
        "Signed messages from other systems.",
        "v1/(webhooks/(sources|messages)|hooks)/",
    ),
    Group(
        "Notifications",
        "Messages to a person, and how that person wants to get them.",
        "v1/notification(s|-preferences)/",
    ),
    Group("Organizations", "Names, languages and time zones.", "v1/organizations/"),
    Group("Members", "The members of the organization and their roles.", "v1/memberships/"),
    Group("Invitations", "How people join the organization.", "v1/invitations/"),
    Group("Teams", "Groups of members; a meeting can be visible to one team.", "v1/teams/"),
    Group("API keys", "Keys for programs that act for a person.", "v1/api-keys/"),
    Group("Health", "For load balancers and monitoring.", "health/"),
    Group("Problems", "The error codes, explained.", "problems/"),
)


def introduce_and_group(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the introduction and the groups. A hook of drf-spectacular.

    Raises StopIteration for a path without a group.
    """
    result["info"]["description"] = INTRODUCTION.read_text("utf-8")
    result["tags"] = [{"name": one.name, "description": one.description} for one in GROUPS]
    for path, operations in result["paths"].items():
        group = next(one for one in GROUPS if re.match(f"/api/{one.path}", path))
        for operation in operations.values():
            operation["tags"] = [group.name]
    return result


def _etag(_request: HttpRequest) -> str:
    return f'"{FILE.stat().st_mtime_ns:x}"'


@require_safe
@gzip_page
@condition(etag_func=_etag)
def schema(_request: HttpRequest) -> HttpResponse:
    """The committed description, which `./mb lint` keeps equal to the code.

    Generating it takes seconds, and every request would wait for them.
    """
    answer = HttpResponse(FILE.read_bytes(), content_type="application/vnd.oai.openapi+json")
    answer["Cache-Control"] = "no-cache"  # the ETag says whether it has changed
    return answer
