"""`manage.py invitation`: an operator invites somebody and hands the link over."""

from __future__ import annotations

import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db.models import Q
from django.urls import reverse

from core.accounts.invitations import create_invitation
from core.accounts.models import Organization, Role
from core.errors import DomainError
from core.http.address import public_url


class Command(BaseCommand):
    """Prints the link alone on standard output; no mail is sent."""

    help = "Invites a person into an organization and prints the link to hand over."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the invited address")
        parser.add_argument("--organization", required=True, metavar="NAME_OR_ID")
        parser.add_argument("--role", choices=Role.values, default=Role.MEMBER.value)

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        try:
            validate_email(email)
            invitation = create_invitation(
                organization=self._organization(options["organization"]),
                email=email,
                role=Role(options["role"]),
            )
        except (ValidationError, DomainError) as error:
            raise CommandError(" ".join(getattr(error, "messages", [str(error)]))) from error
        until = f"{invitation.expires_at:%d %B %Y, %H:%M} UTC"
        self.stderr.write(f"Valid once, until {until}:", style_func=str)
        link = reverse("invitation", args=[invitation.token])
        self.stdout.write(public_url(link))

    def _organization(self, name_or_id: str) -> Organization:
        try:
            chosen = Q(pk=uuid.UUID(name_or_id))
        except ValueError:
            chosen = Q(name=name_or_id)
        found = list(Organization.objects.filter(chosen)[:2])
        if not found:
            raise CommandError(f"There is no organization {name_or_id}.")
        if len(found) > 1:
            raise CommandError(f"Several organizations are called {name_or_id}. Give the id.")
        return found[0]
