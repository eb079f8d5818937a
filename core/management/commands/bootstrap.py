"""`manage.py bootstrap`: the first organization, its owner and an API key."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from core.accounts import services
from core.accounts.models import Membership, Organization, Role, User
from core.accounts.models.user import normal_email

KEY_NAME = "bootstrap"


class Command(BaseCommand):
    """Prints the key alone on standard output, so that a script can keep it."""

    help = (
        "Creates an organization, its owner and an API key. Run again, it changes nothing; "
        "with --new-key it makes a key for the owner, or for the member whose address is given."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", required=True, metavar="NAME")
        parser.add_argument("--email", required=True, help="the owner's address, or a member's")
        parser.add_argument("--password", help="lets the owner sign in")
        parser.add_argument(
            "--staff", action="store_true", help="with --password: lets the owner into /admin/"
        )
        parser.add_argument("--new-key", action="store_true", help="make another API key")
        parser.add_argument(
            "--another", action="store_true", help="make an organization of a name that is taken"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        email, name = normal_email(options["email"]), options["organization"].strip()
        self._check(email, options["password"])
        if not name:
            raise CommandError("The organization needs a name.")
        with transaction.atomic():
            membership, created = self._membership(name, email, another=options["another"])
            if options["password"]:
                _let_in(membership.user, options["password"], staff=options["staff"])
            key = self._key(membership) if created or options["new_key"] else None
        self._tell(membership, created=created, key=key)

    def _check(self, email: str, password: str | None) -> None:
        try:
            validate_email(email)
            if password:
                validate_password(password, User(email=email))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error

    def _membership(self, name: str, email: str, *, another: bool) -> tuple[Membership, bool]:
        """The person's membership in their organization of that name, or a new one's owner."""
        found = Membership.objects.filter(
            organization__name=name, user__email=email
        ).select_related("organization", "user")
        membership = found.order_by("created_at").first()
        if membership is not None:
            return membership, False
        if not another and Organization.objects.filter(name=name).exists():
            raise CommandError(
                f"There is an organization {name}, and {email} does not belong to it. Add the "
                "person as a member, or make a second one of that name with --another."
            )
        user = User.objects.filter(email=email).first() or User.objects.create_user(email)
        organization = services.create_organization(name=name, owner=user)
        return Membership.objects.select_related("organization", "user").get(
            organization=organization, user=user
        ), True

    def _key(self, membership: Membership) -> str:
        return services.create_api_key(
            user=membership.user, organization=membership.organization, name=KEY_NAME
        ).text

    def _tell(self, membership: Membership, *, created: bool, key: str | None) -> None:
        organization: Organization = membership.organization
        state = "created" if created else "exists already"
        self._say(f"Organization {organization.name} ({organization.id}) {state}.")
        role = Role(membership.role).label.capitalize()
        self._say(f"{role} {membership.user.email} ({membership.user.id}).")
        if key is None:
            self._say("Its API keys are not shown again. For another one add --new-key.")
            return
        self._say("The API key, shown only this once:")
        self.stdout.write(key)

    def _say(self, message: str) -> None:
        self.stderr.write(message, style_func=str)  # not in the colour of errors


def _let_in(user: User, password: str, *, staff: bool) -> None:
    user.set_password(password)
    if staff:
        user.is_staff = user.is_superuser = True
    user.save()
