"""`manage.py deliveries`: what waits to be sent, and giving it up after a restore."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand

from webhooks.queries import deliveries as queries
from webhooks.services import deliveries as delivery_services


class Command(BaseCommand):
    """One line per endpoint with the host alone: the rest of an address may be secret."""

    help = "Lists the deliveries that wait to be sent, by endpoint, or gives all of them up."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
        acts.add_parser("waiting", help="how many wait for each endpoint, and since when")
        acts.add_parser(
            "give-up", help="give up what waits; it can be sent again by hand for 14 days"
        )

    def handle(self, *_args: Any, act: str, **_options: Any) -> None:
        if act == "give-up":
            self.stdout.write(f"{delivery_services.give_up_waiting()} given up")
            return
        for endpoint, many, oldest in queries.waiting_by_endpoint():
            self.stdout.write(
                f"{many:>8}  {oldest:%Y-%m-%d %H:%M:%S}  {endpoint.id}  "
                f"{urlsplit(endpoint.url).hostname}  ({endpoint.organization})"
            )
        self.stdout.write(f"{queries.waiting().count()} waiting")
