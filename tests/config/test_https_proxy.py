"""Behind a real HTTPS proxy, with the settings that config/deploy/README.md names for it."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import sys
from pathlib import Path
from urllib.request import HTTPSHandler, Request, build_opener

import pytest

from tests import make
from tests.processes import free_port, house, wait_until

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "config/deploy/README.md"
# No port, certificate or folder of the machine that runs the test.
GLOBAL_OPTIONS = """{{
    admin off
    auto_https disable_redirects
    skip_install_trust
    storage file_system {folder}
}}
"""


def caddyfile_of_readme(*, folder: Path, port: int, web: int) -> str:
    """The site as the README shows it, with a name and a certificate of this machine."""
    (site,) = re.findall(
        r"^    minutes\.example\.org \{\n.+?^    \}\n", README.read_text("utf-8"), re.M | re.S
    )
    here = site.replace("minutes.example.org {", f"https://localhost:{port} {{\n tls internal")
    return GLOBAL_OPTIONS.format(folder=folder) + here.replace(":8000", f":{web}")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_links_and_checks_behind_an_https_proxy(tmp_path: Path) -> None:
    web, port = free_port(), free_port()
    public = f"https://localhost:{port}"
    settings = {
        "PUBLIC_URL": public,
        "ALLOWED_HOSTS": "localhost",
        "PROXY_SSL_HEADER": "X-Forwarded-Proto",
        "SSL_REDIRECT": "true",
        "HSTS_SECONDS": "31536000",
        "STATIC_ROOT": str(tmp_path / "static"),
        "EMAIL_URL": "smtp+tls://user:password@localhost:587",
        "OUTBOUND_ALLOW_HTTP": "false",
    }
    key = make.api_key(actor=(actor := make.actor()))
    for _ in range(2):
        make.meeting(organization=actor.organization)
    make.export(meeting=make.meeting(organization=actor.organization), content=b"x")
    with house(tmp_path, port=web, **settings) as installation:
        environment = {**os.environ, **installation.environment, "COOKIES_SECURE": "true"}
        manage = [sys.executable, "manage.py"]
        subprocess.run(
            [*manage, "collectstatic", "--no-input"], cwd=ROOT, env=environment, check=True
        )
        check = [*manage, "check", "--deploy", "--fail-level", "WARNING"]
        checked = subprocess.run(
            check, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stderr

        installation.start("web")
        caddyfile = tmp_path / "Caddyfile"
        caddyfile.write_text(caddyfile_of_readme(folder=tmp_path / "caddy", port=port, web=web))
        installation.run("caddy", "run", "--config", str(caddyfile), "--adapter", "caddyfile")
        certificate = tmp_path / "caddy/pki/authorities/local/root.crt"
        wait_until(certificate.exists, "the proxy has a certificate")
        wait_until(lambda: "Started worker" in installation.said(), "the web process runs")
        opener = build_opener(HTTPSHandler(context=ssl.create_default_context(cafile=certificate)))

        def get(path: str) -> tuple[object, str]:
            request = Request(f"{public}{path}", headers={"Authorization": f"Bearer {key}"})
            with opener.open(request, timeout=20) as answer:
                return answer.headers, answer.read().decode()

        headers, page = get("/api/v1/meetings/?page_size=1")
        following = json.loads(page)["next"]
        assert following.startswith(f"{public}/api/v1/meetings/?")
        assert json.loads(get(following.removeprefix(public))[1])["results"]
        assert headers["Strict-Transport-Security"] == "max-age=31536000"  # type: ignore[index]
        (export,) = json.loads(get("/api/v1/exports/")[1])["results"]
        assert export["download_url"].startswith(f"{public}/")
        assert get(export["download_url"].removeprefix(public))[1] == "x"
        assert "csrfmiddlewaretoken" in get("/admin/login/")[1]
