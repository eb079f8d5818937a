"""What people do with the decisions and action items that an engine found."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from core import errors
from core.accounts.actor import Actor
from core.db.clock import database_now
from core.events import services as events
from core.events.registry import EventType
from meetings.events import ACTION_ITEM_COMPLETED, DECISION_CONFIRMED
from meetings.models import ActionItem, Decision, ItemStatus
from meetings.models.item import ChangeableItem
from meetings.services import meetings as meeting_services


class WordsAreNoDraft(errors.Invalid):
    """A draft is an engine's: the next analysis would put other words over a person's."""

    code = "item.words_are_no_draft"
    message = "What you put in other words cannot be a draft. Leave one of the two out."


class DoneIsNoDraft(errors.Conflict):
    """Somebody did it, so it is not for an engine to take away."""

    code = "item.done_is_no_draft"
    message = "What is done cannot be a draft. Say first that it is not done."


def update_decision(
    *, actor: Actor, decision: Decision, status: ItemStatus | None = None, **words: Any
) -> Decision:
    """Put a decision in other words, confirm it, dismiss it, or make it a draft again.

    Other words make it `edited` unless a status is given. Raises NotFound once it is gone, and
    WordsAreNoDraft.
    """
    with transaction.atomic():
        held: Decision = _lock(actor, decision)
        before = _values(held)
        was_confirmed = held.status == ItemStatus.CONFIRMED
        _change(held, words, status)
        _save_changed(held, before)
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
    Raises DoneIsNoDraft too.
    """
    with transaction.atomic():
        held: ActionItem = _lock(actor, action_item)
        before = _values(held)
        was_completed = held.completed_at is not None
        _change(held, words, status)
        _complete(held, completed)
        if status == ItemStatus.DRAFT and held.completed_at is not None:
            raise DoneIsNoDraft
        _save_changed(held, before)
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
    if changed and status == ItemStatus.DRAFT:
        raise WordsAreNoDraft
    for name, value in changed.items():
        setattr(item, name, value)
    if status is not None:
        item.status = status
    elif changed:
        item.status = ItemStatus.EDITED


def _complete(item: ActionItem, completed: bool | None) -> None:
    if completed is None or completed == (item.completed_at is not None):
        return
    item.completed_at = database_now() if completed else None
    if completed and item.status == ItemStatus.DRAFT:
        item.status = ItemStatus.CONFIRMED


def _values(item: ChangeableItem) -> dict[str, Any]:
    return {column.attname: getattr(item, column.attname) for column in item._meta.concrete_fields}


def _save_changed(item: ChangeableItem, before: dict[str, Any]) -> None:
    """Nothing said is nothing changed: files made from this revision of the meeting stay valid."""
    if _values(item) == before:
        return
    item.save()
    meeting_services.touch(item.meeting)


def _publish(kind: EventType, actor: Actor, ids: dict[str, str]) -> None:
    events.publish(kind, organization_id=actor.organization.id, data=ids, actor_id=actor.user.id)
