"""What accounts publish to the rest of the product; webhooks do not receive these."""

from __future__ import annotations

from typing import TypedDict

from core.events.registry import declare


class InvitationCreated(TypedDict):
    invitation_id: str


INVITATION_CREATED = declare(
    "invitation.created",
    data=InvitationCreated,
    example={"invitation_id": "01a20120-2c33-720d-813f-2661fc926788"},
    description="A person was invited into an organization.",
    public=False,
)
