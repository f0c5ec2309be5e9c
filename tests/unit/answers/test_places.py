"""Where an answer is looked for, decided from the kernel's command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from installer.answers.places import (
    Dhcp,
    Dns,
    LocalFile,
    Request,
    SourceError,
    Volume,
    Web,
    parse_command_line,
    places,
    web_place,
)

DIGEST = "ab" * 32
BOOT = "BOOT_IMAGE=/live/vmlinuz boot=live quiet"


def places_for(parameters: str) -> tuple[object, ...]:
    return places(parse_command_line(f"{BOOT} {parameters}\n"))


def test_without_parameters_all_places_in_their_order() -> None:
    assert places_for("") == (
        Volume("SLIPWAY"),
        LocalFile(Path("/run/live/medium/slipway/answer.toml")),
        Dhcp(),
        Dns(),
    )


def test_the_label_can_be_another() -> None:
    assert places_for("slipway.answer-label=RACK7")[0] == Volume("RACK7")


def test_an_address_is_the_only_place() -> None:
    assert places_for("slipway.answer=https://answers.example.com/a") == (
        Web("https://answers.example.com/a"),
    )


def test_everything_that_belongs_to_an_address() -> None:
    colons = ":".join(["AB"] * 32)
    assert places_for(
        f"slipway.answer=https://a.example.com slipway.answer-fingerprint={colons} "
        "slipway.answer-token=node:secret"
    ) == (
        Web(
            "https://a.example.com",
            fingerprint=DIGEST,
            token=SecretStr("node:secret"),
        ),
    )


def test_digests_are_normalised() -> None:
    request = parse_command_line(f"slipway.answer-sha256={':'.join(['AB'] * 32)}")
    assert request.sha256 == DIGEST


def test_the_last_parameter_counts_and_quotes_do_not() -> None:
    chosen = places_for('slipway.answer=https://a "slipway.answer=https://b"')
    assert chosen == (Web("https://b"),)


def test_a_file_of_the_live_system() -> None:
    assert places_for("slipway.answer=file:///srv/a%20b.toml") == (
        LocalFile(Path("/srv/a b.toml"), required=True),
    )


def test_plain_http_with_a_digest_or_an_opt_in() -> None:
    url = "slipway.answer=http://a.example.com/x"
    assert places_for(f"{url} slipway.answer-sha256={DIGEST}") == (Web("http://a.example.com/x"),)
    assert places_for(f"{url} slipway.answer-insecure") == (
        Web("http://a.example.com/x", insecure=True),
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("slipway.answer=http://a.example.com", "can be changed on its way"),
        (f"slipway.answer=http://a slipway.answer-fingerprint={DIGEST}", "needs https"),
        (
            f"slipway.answer=http://a slipway.answer-sha256={DIGEST} slipway.answer-token=geheim",
            "a token is not sent over plain HTTP",
        ),
        ("slipway.answer=ftp://a.example.com", "must be https://"),
        ("slipway.answer=answer.toml", "must be https://"),
        ("slipway.answer=https:///x", "must be https://"),
        ("slipway.answer=https://[::1/x", "must be https://"),
        ("slipway.answer=https://user:geheim@a.example.com", "must be https://"),
        ("slipway.answer=https://a slipway.answer-sha256=abc", "64 hexadecimal digits"),
        ("slipway.answer=https://a slipway.answer-fingerprint=abc", "64 hexadecimal digits"),
        ("slipway.answer=https://a slipway.answer-token=gehüim", "characters that no token has"),
        ("slipway.answer-fingerprnt=abc", "not a known parameter"),
        ("slipway.answers=https://a", "not a known parameter"),
    ],
)
def test_what_cannot_be_trusted_or_is_not_known_is_refused(parameters: str, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        places_for(parameters)
    assert "geh" not in str(caught.value)


def test_a_discovered_server_gets_no_token() -> None:
    request = Request(token=SecretStr("secret"), sha256=DIGEST)
    assert web_place("http://a.example.com", request, "") == Web("http://a.example.com")


def test_a_discovered_server_is_not_trusted_over_plain_http() -> None:
    with pytest.raises(SourceError, match="can be changed"):
        web_place("http://a.example.com", Request(), "")


def test_addresses_are_told_without_what_may_be_secret() -> None:
    assert str(Web("https://a.example.com:8443/x?token=secret")) == "https://a.example.com:8443/x?…"
