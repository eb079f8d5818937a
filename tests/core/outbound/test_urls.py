"""A URL is read in one way only, and leads outside or nowhere."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from uuid import UUID

import pytest
import urllib3
from pytest_django.fixtures import Settings

from core import errors
from core.db.rows import new_id
from core.outbound import dns
from core.outbound.dns import Addresses, Resolver, UnknownHost
from core.outbound.urls import LOOKUPS_AT_ONCE, Target, check_url, read_url


def answers(*texts: str) -> Callable[[str], Addresses]:
    return lambda _host: tuple(map(ip_address, texts))


def refused(url: str, *texts: str) -> str:
    """The code of the refusal."""
    with pytest.raises(errors.Invalid) as caught:
        check_url(url, lookup=answers(*(texts or ("8.8.8.8",))))
    assert not any(part in caught.value.detail for part in ("10.", "127.", "169."))
    return caught.value.code


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://example.com", "example.com", "/"),
        ("HTTPS://Example.COM.:443/a/../b?q=1&r=%20", "example.com", "/a/../b?q=1&r=%20"),
        ("https://example.com:8443?q", "example.com:8443", "/?q"),
        ("https://a_b.example/", "a_b.example", "/"),
        ("https://bücher.example/ö?ü=[1]", "xn--bcher-kva.example", "/%C3%B6?%C3%BC=[1]"),
        ("https://faß.example/", "xn--fa-hia.example", "/"),
        ("https://例え。テスト/", "xn--r8jz45g.xn--zckzah", "/"),
        ("https://8.8.8.8/", "8.8.8.8", "/"),
        ("https://[2606:4700:4700:0::1111]:8443/", "[2606:4700:4700::1111]:8443", "/"),
        ("https://0x08.8.2056/", "8.8.8.8", "/"),
    ],
)
def test_a_sound_address_is_read(url: str, authority: str, path: str) -> None:
    target = check_url(url, lookup=answers("8.8.8.8", "2606:4700:4700::1111"))

    assert (target.authority, target.path) == (authority, path)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "url.invalid"),
        ("example.com", "url.invalid"),
        ("https://", "url.invalid"),
        ("https:///path", "url.invalid"),
        ("https:example.com", "url.invalid"),
        ("//example.com", "url.invalid"),
        ("https://example.com/#x", "url.invalid"),
        ("https://example.com#@127.0.0.1/", "url.invalid"),
        ("https://example.com\\@127.0.0.1/", "url.invalid"),
        ("https://example.com\\.evil.example/", "url.invalid"),
        ("https://exa mple.com/", "url.invalid"),
        ("https://example.com/\r\nHost: inside", "url.invalid"),
        ("https://example.com/\x00", "url.invalid"),
        ("https://exam\u200bple.com/", "url.invalid"),
        ("https://example.com/\ud800", "url.invalid"),
        ("\thttps://example.com/", "url.invalid"),
        ("https://%31%32%37.0.0.1/", "url.invalid"),
        ("https://a..example/", "url.invalid"),
        ("https://-a.example/", "url.invalid"),
        (f"https://{'a' * 64}.example/", "url.invalid"),
        (f"https://{'a.' * 130}example/", "url.invalid"),
        ("https://[::1/", "url.invalid"),
        ("https://[fe80::1%25eth0]/", "url.invalid"),
        ("https://[1.2.3.4]/", "url.invalid"),
        ("https://::1/", "url.invalid"),
        ("https://256.1.1.1/", "url.invalid"),
        ("https://1.2.3.4.5/", "url.invalid"),
        ("https://example.0x/", "url.invalid"),
        ("https://example.com:/", "url.invalid"),
        ("https://example.com:8443:443/", "url.invalid"),
        ("https://example.com:٤٤٣/", "url.invalid"),
        ("https://x\u2488com/", "url.invalid"),
        (f"https://example.com/{'a' * 2048}", "url.too_long"),
        ("ftp://example.com/", "url.not_https"),
        ("javascript://example.com/", "url.not_https"),
        ("https://user@example.com/", "url.with_credentials"),
        ("https://user:pass@example.com/", "url.with_credentials"),
        ("https://example.com@127.0.0.1/", "url.with_credentials"),
        ("https://@example.com/", "url.with_credentials"),
        ("https://example.com:22/", "url.refused_port"),
        ("https://example.com:0/", "url.refused_port"),
        ("https://example.com:80/", "url.refused_port"),
        ("https://example.com:65536/", "url.refused_port"),
    ],
)
def test_what_two_programs_could_read_differently_is_refused(url: str, code: str) -> None:
    assert refused(url) == code


def test_what_is_accepted_other_programs_read_in_the_same_way() -> None:
    source = random.Random(1795)
    parts = [
        *(
            "http://",
            "https://",
            "HTTPS:",
            "//",
            "/",
            "example.com",
            "b\u00fccher.example",
            "127.1",
        ),
        *(
            "0x7f.1",
            "[::1]",
            "[",
            "]",
            ":",
            ":8443",
            ":0443",
            "@",
            "a",
            "%41",
            "%00",
            "?",
            "#",
            ".",
        ),
        *(
            "\\",
            " ",
            "\t",
            "\u3002",
            "\uff0f",
            "\uff20",
            "\u2100",
            "\xad",
            "_",
            "-",
            "&",
            ";",
            "=",
            "1",
        ),
    ]
    accepted = 0
    for _ in range(6000):
        url = "https://" + "".join(source.choices(parts, k=source.randrange(1, 7)))
        try:
            target = read_url(url)
        except errors.Invalid:
            continue
        accepted += 1
        sent = f"{target.scheme}://{target.authority}{target.path}"
        judge = urllib3.util.parse_url(sent)
        assert (judge.host or "").strip("[]") == target.host, url
        assert judge.auth is None, url
        assert (judge.port or 443) == target.port, url
        assert read_url(sent) == target, url
        assert sent.isascii(), url
        assert sent.isprintable(), url
    assert accepted > 300


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001",
        "0177.0.0.1", "0", "0x0", "127.0.0.1.", "①②⑦.⓪.⓪.①",
        "\uff11\uff12\uff17.0.0.1", "127。0。0。1",
        "169.254.169.254", "2852039166", "0xa9fea9fe", "[::1]", "[::]", "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[0:0:0:0:0:0:0:1]",
        "[fd00:ec2::254]",
    ],
)  # fmt: skip
def test_literal_addresses_are_judged_by_what_they_mean(host: str) -> None:
    assert refused(f"https://{host}/") == "url.refused_address"


def test_every_address_of_a_name_must_be_public() -> None:
    assert refused("https://mixed.example/", "8.8.8.8", "10.0.0.1") == "url.refused_address"
    assert refused("https://mixed.example/", "8.8.8.8", "::1") == "url.refused_address"


def test_a_name_without_an_address_is_not_found() -> None:
    def nobody(_host: str) -> Addresses:
        raise UnknownHost("NXDOMAIN")

    for resolver in (nobody, lambda _host: ()):
        with pytest.raises(errors.Invalid) as caught:
            check_url("https://nowhere.example/", lookup=resolver)
        assert caught.value.code == "url.not_found"


def test_silent_name_server_of_one_organization_leaves_look_ups_for_others() -> None:
    one, other = new_id(), new_id()
    at_most = LOOKUPS_AT_ONCE // 2
    asked, silence = threading.Barrier(at_most + 1), threading.Event()

    def silent(_host: str) -> Addresses:
        asked.wait(10)
        silence.wait(10)
        return answers("8.8.8.8")("slow.example")

    def look_up(organization_id: UUID) -> Target:
        public = answers("8.8.8.8")
        return check_url("https://example.com/", organization_id=organization_id, lookup=public)

    with ThreadPoolExecutor(at_most) as requests:
        url = "https://slow.example/"
        running = [
            requests.submit(check_url, url, organization_id=one, lookup=silent)
            for _ in range(at_most)
        ]
        asked.wait(10)
        with pytest.raises(errors.TooBusy) as caught:
            look_up(one)
        assert check_url("https://8.8.8.8/", organization_id=one).host == "8.8.8.8"
        assert look_up(other).host == "example.com"
        silence.set()
        assert {request.result().host for request in running} == {"slow.example"}
    assert caught.value.code == "url.look_ups_busy"
    assert caught.value.retry_after
    look_up(one)


def test_unencrypted_addresses_are_for_operators_to_allow(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_HTTP = True
    assert read_url("http://example.com:8080/").port == 8080
    settings.OUTBOUND_ALLOW_HTTP = False
    assert refused("http://example.com/") == "url.not_https"


def test_the_systems_own_names_lead_nowhere() -> None:
    with pytest.raises(errors.Invalid) as caught:
        check_url("https://localhost/")
    assert caught.value.code == "url.refused_address"


# --- Looking up ---------------------------------------------------------------------------------


class Slow:
    """A resolver that counts, and for some hosts waits until it is let go."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.go_on = threading.Event()

    def __call__(self, host: str) -> Addresses:
        self.asked.append(host)
        if host.startswith("slow"):
            self.go_on.wait(10)
        return (ip_address("8.8.8.8"),)


def test_callers_share_a_look_up_and_a_slow_one_holds_up_nobody_else() -> None:
    slow = Slow()
    known = Resolver(slow)
    started = time.monotonic()
    for _ in range(3):
        with pytest.raises(UnknownHost, match="in time"):
            known.addresses_within("slow.example", 0.01)
    found = known.addresses_within("quick.example", 5)
    took = time.monotonic() - started
    slow.go_on.set()

    assert found == known.addresses_within("slow.example", 5) == (ip_address("8.8.8.8"),)
    assert took < 5
    assert slow.asked == ["slow.example", "quick.example"]
    known.close()


def test_an_answer_is_asked_for_again_when_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    known = Resolver(slow)
    for _ in range(2):
        known.addresses_within("a.example", 5)
    monkeypatch.setattr(dns, "CACHE_SECONDS", 0.0)
    monkeypatch.setattr(dns, "MAX_CACHED", 1)
    for _ in range(2):
        known.addresses_within("b.example", 5)
    # A slow answer counts for as long again as it took, or its name would hold a thread for ever.
    monkeypatch.setattr(dns, "SLOW_SECONDS", 0.0)
    threading.Timer(0.05, slow.go_on.set).start()
    for _ in range(2):
        known.addresses_within("slow.example", 5)

    assert slow.asked == ["a.example", "b.example", "b.example", "slow.example"]
    known.close()
