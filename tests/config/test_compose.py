"""docker-compose.yml and the Dockerfile run what the rest of the house says they run."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from config.deploy import health
from config.processes import WORKER_PER_QUEUE, Places, processes
from core.jobs.queues import QUEUES

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
IN_A_CONTAINER = Places(schedule_file="/var/lib/minutebook/clock/schedule")
PROCESSES = processes(IN_A_CONTAINER, WORKER_PER_QUEUE)
SERVERS = {"database", "broker", "cache"}

# Settings that a container does not take from .env, and why.
NOT_PASSED_ON = {
    "PROCESS": "config/wsgi.py sets it",
    "ENV_FILE": "docker compose reads .env and passes settings on",
    "DEBUG": "never in production",
    "SHUTDOWN_GRACE_SECONDS": "./mb dev's; here it is stop_grace_period",
    "UPLOAD_FOLDER": "the image's: the volume of files, so that accepting one is a rename",
    "STATIC_ROOT": "filled when the image is built",
    "ASR_MODEL_DIR": "a folder of the container: it comes with the volume that holds it",
}


def settings_read() -> set[str]:
    text = (ROOT / "config" / "settings.py").read_text("utf-8")
    return set(re.findall(r'env\.\w+\(\s*"(\w+)"', text))


def given_settings(service: str) -> dict[str, str]:
    return SERVICES[service]["environment"]


def test_every_process_is_a_service_with_the_same_command() -> None:
    commands = {
        name: tuple(shlex.split(service["command"]))
        for name, service in SERVICES.items()
        if name not in SERVERS | {"migrate"}
    }
    assert commands == {name: process.command for name, process in PROCESSES.items()}


def test_the_image_serves_the_web_unless_told_otherwise() -> None:
    command = DOCKERFILE[DOCKERFILE.index("CMD ") + 4 :].replace("\\\n", "")
    assert tuple(json.loads(command)) == PROCESSES["web"].command


def test_every_queue_has_a_worker_of_its_own() -> None:
    served = {
        words[words.index("-Q") + 1]: int(words[words.index("-c") + 1])
        for words in (shlex.split(str(service["command"])) for service in SERVICES.values()
                      if "-Q" in str(service.get("command")))
    }  # fmt: skip
    assert served == {queue.name: queue.concurrency for queue in QUEUES.values()}


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_every_setting_reaches_every_process(name: str) -> None:
    assert settings_read() - set(given_settings(name)) == set(NOT_PASSED_ON)


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_every_name_a_process_is_given_is_read_by_somebody(name: str) -> None:
    others = {"PGPASSWORD", "OMP_NUM_THREADS", "FLOWER_BASIC_AUTH"}
    others |= {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}  # boto3 reads them
    assert set(given_settings(name)) - settings_read() - others == set()


def test_the_example_names_what_must_be_filled_in_and_leaves_it_empty() -> None:
    example = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text("utf-8"), re.M))
    required = set(re.findall(r"\$\{(\w+):\?", COMPOSE))
    optional = set(re.findall(r"\$\{(\w+):-", COMPOSE)) - {"MINUTEBOOK_VERSION"}
    assert {name for name, value in example.items() if not value} >= required
    assert optional <= set(example) <= required | optional | settings_read()


def test_every_service_is_watched_started_again_and_limited() -> None:
    for name, service in SERVICES.items():
        assert service["mem_limit"], name
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped"), name
        assert ("healthcheck" in service) == (name != "migrate"), name


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_the_health_check_asks_about_its_own_process(name: str) -> None:
    test = ["CMD", "python", "-m", "config.deploy.health", name]
    assert SERVICES[name]["healthcheck"]["test"] == test
    assert name.startswith("worker-") or name in health.CHECKS


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_a_process_waits_for_its_servers_and_the_tables(name: str) -> None:
    needs = {other: need["condition"] for other, need in SERVICES[name]["depends_on"].items()}
    assert needs.pop("migrate") == "service_completed_successfully"
    assert needs == dict.fromkeys(SERVERS, "service_healthy")


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_a_process_may_write_nowhere_but_in_its_volumes(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert re.search(r"^USER \d+:\d+$", DOCKERFILE, re.M)
    made = set(re.findall(r"/var/lib/minutebook/\w+", DOCKERFILE))
    assert {volume.partition(":")[2] for volume in service["volumes"]} <= made


def test_a_process_is_given_more_time_to_stop_than_it_takes() -> None:
    for name in PROCESSES:
        seconds = int(SERVICES[name]["stop_grace_period"].removesuffix("s"))
        assert seconds > IN_A_CONTAINER.grace_seconds, name


def test_only_pages_are_published_and_only_to_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"web", "flower"}
    assert all(":-127.0.0.1:" in port for ports in published.values() for port in ports)


def test_the_broker_never_evicts_and_the_cache_keeps_nothing() -> None:
    assert "--maxmemory-policy noeviction" in SERVICES["broker"]["command"]
    assert "--appendonly yes" in SERVICES["broker"]["command"]
    assert "--maxmemory-policy allkeys-lru" in SERVICES["cache"]["command"]


def test_no_secret_is_written_down() -> None:
    secrets = re.findall(r"^.*(?:PASSWORD|SECRET_KEYS?|BASIC_AUTH):\s+(.*)$", COMPOSE, re.M)
    assert len(secrets) == 5
    assert all("${" in value and ":?" in value for value in secrets)


def test_every_app_and_nothing_private_goes_into_the_image() -> None:
    rules = (ROOT / ".dockerignore").read_text("utf-8").split()
    taken = {rule[1:] for rule in rules if rule.startswith("!")}
    own = {app for app in settings.INSTALLED_APPS if (ROOT / app).is_dir()}
    assert "*" in rules
    assert own | {"config", "templates", "manage.py", "pyproject.toml", "uv.lock"} <= taken
    assert taken & {".env", ".git", "tests", ".local"} == set()
