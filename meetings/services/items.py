"""What people do with the decisions and action items that an engine found."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from core import errors
from core.accounts.actor import Actor
from core.events import services as events
from core.events.registry import EventType
from meetings.events import ACTION_ITEM_COMPLETED, DECISION_CONFIRMED
from meetings.models import ActionItem, Decision, ItemStatus
from meetings.models.item import ChangeableItem
from meetings.services import meetings as meeting_services


def update_decision(
    *, actor: Actor, decision: Decision, status: ItemStatus | None = None, **words: Any
) -> Decision:
    """Put a decision in other words, confirm it, dismiss it, or make it a draft again.

    Other words make it `edited` unless a status is given. Raises NotFound once it is gone.
    """
    with transaction.atomic():
        held: Decision = _lock(actor, decision)
        was_confirmed = held.status == ItemStatus.CONFIRMED
        _change(held, words, status)
        _save(held)
        if held.status == ItemStatus.CONFIRMED and not was_confirmed:
            ids = {"meeting_id": str(held.meeting_id), "decision_id": str(held.id)}
            _publish(DECISION_CONFIRMED, actor, ids)
    return held


def update_action_item(
    *,
    actor: Actor,
    action_item: ActionItem,
    status: ItemStatus | None = None,
    completed: bool | None = None,
    **words: Any,
) -> ActionItem:
    """Change words, owner, due date or status of an action item, and whether it is done.

    As with a decision; and what somebody has done was no mere draft: completing confirms it.
    """
    with transaction.atomic():
        held: ActionItem = _lock(actor, action_item)
        was_completed = held.completed_at is not None
        _change(held, words, status)
        _complete(held, completed)
        _save(held)
        if held.completed_at is not None and not was_completed:
            ids = {"meeting_id": str(held.meeting_id), "action_item_id": str(held.id)}
            _publish(ACTION_ITEM_COMPLETED, actor, ids)
    return held


def _lock(actor: Actor, item: Any) -> Any:
    """The item as it is now, under its meeting's lock: a new analysis may be writing."""
    meeting_services.lock_meeting(item.meeting, actor=actor)
    held = type(item).objects.select_related("meeting").filter(id=item.id).first()
    if held is None:
        raise errors.NotFound
    return held


def _change(item: ChangeableItem, words: dict[str, Any], status: ItemStatus | None) -> None:
    changed = {name: value for name, value in words.items() if getattr(item, name) != value}
    for name, value in changed.items():
        setattr(item, name, value)
    if status is not None:
        item.status = status
    elif changed:
        item.status = ItemStatus.EDITED


def _complete(item: ActionItem, completed: bool | None) -> None:
    if completed is None or completed == (item.completed_at is not None):
        return
    item.completed_at = timezone.now() if completed else None
    if item.status == ItemStatus.DRAFT:
        item.status = ItemStatus.CONFIRMED


def _save(item: ChangeableItem) -> None:
    item.save()
    meeting_services.touch(item.meeting)


def _publish(kind: EventType, actor: Actor, ids: dict[str, str]) -> None:
    events.publish(kind, organization_id=actor.organization.id, data=ids, actor_id=actor.user.id)
