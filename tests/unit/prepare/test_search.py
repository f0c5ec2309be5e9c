"""The installer's search for an answer on a machine that was started from a prepared ISO."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from installer.answers import prepared
from installer.answers.places import (
    Dhcp,
    Dns,
    LocalFile,
    Place,
    Preparation,
    SourceError,
    Volume,
    Web,
    parse_command_line,
    places,
)
from installer.answers.sources import Surroundings, find_answer
from installer.web import Patience
from tests.unit.answers.files import MINIMAL_TOML
from tests.unit.answers.servers import make_certificate, reply, serving

DIGEST, OTHER = "ab" * 32, "cd" * 32
URL = "https://answers.example.org/a"
SERVER = Preparation(url=URL, fingerprint=DIGEST, token=SecretStr("on:iso"))
MEDIUM = LocalFile(Path("/run/live/medium/slipway/answer.toml"))


def places_for(parameters: str, preparation: Preparation) -> tuple[Place, ...]:
    return places(parse_command_line(f"boot=live {parameters}\n"), preparation)


def test_a_prepared_address_is_the_only_place() -> None:
    assert places_for("", SERVER) == (Web(URL, fingerprint=DIGEST, token=SecretStr("on:iso")),)


def test_a_prepared_label_comes_before_the_rest() -> None:
    expected = (Volume("RACK7"), MEDIUM, Dhcp(), Dns())
    assert places_for("", Preparation(label="RACK7")) == expected


def test_an_address_on_the_command_line_gets_nothing_of_the_iso() -> None:
    chosen = places_for("slipway.answer=https://other.example.org", SERVER)
    assert chosen == (Web("https://other.example.org"),)
    file = places_for("slipway.answer=file:///answer.toml", SERVER)
    assert file == (LocalFile(Path("/answer.toml"), required=True),)


def test_a_label_on_the_command_line_comes_first() -> None:
    assert places_for("slipway.answer-label=MINE", Preparation(label="RACK7"))[0] == Volume("MINE")
    server = Web(URL, fingerprint=DIGEST, token=SecretStr("on:iso"))
    assert places_for("slipway.answer-label=MINE", SERVER) == (Volume("MINE"), server)


def test_the_command_line_replaces_fingerprint_and_token() -> None:
    parameters = f"slipway.answer-fingerprint={OTHER} slipway.answer-token=typed:in"
    expected = Web(URL, fingerprint=OTHER, token=SecretStr("typed:in"))
    assert places_for(parameters, SERVER) == (expected,)


def test_plain_http_needs_the_command_line() -> None:
    plain = Preparation(url="http://answers.example.org")
    with pytest.raises(SourceError, match="can be changed on its way"):
        places_for("", plain)
    assert places_for(f"slipway.answer-sha256={DIGEST}", plain) == (Web(plain.url),)


def test_without_the_file_nothing_was_prepared(tmp_path: Path) -> None:
    assert prepared.load(tmp_path / "source.toml") == Preparation()


@pytest.mark.parametrize(
    "content",
    [b'url = "https://a', b'token = ["geheim"]', b"url = 1", b'tokn = "geheim"', b"\xff"],
)
def test_settings_of_another_kind_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "source.toml").write_bytes(content)
    with pytest.raises(SourceError, match="not settings") as caught:
        prepared.load(tmp_path / "source.toml")
    assert str(tmp_path) in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_asks_the_server_that_the_iso_names(tmp_path: Path) -> None:
    certificate = tmp_path / "server.pem"
    fingerprint = make_certificate(certificate)
    told: list[str] = []
    (tmp_path / "cmdline").write_text("boot=live\n")
    with serving(reply(200, MINIMAL_TOML.encode()), certificate=certificate) as server:
        url = f"https://127.0.0.1:{server.port}/answer"
        (tmp_path / "source.toml").write_text(
            f'url = "{url}"\nfingerprint = "{fingerprint}"\ntoken = "node:secret"\n'
        )
        surroundings = Surroundings(
            command_line=tmp_path / "cmdline",
            preparation=tmp_path / "source.toml",
            identity=dict,
            patience=Patience(total=5, attempt=5, first=0.001, longest=0.01),
        )
        loaded = find_answer(told.append, surroundings)
    assert loaded is not None
    assert loaded.answer.global_.country == "at"
    assert [asked.authorization for asked in server.asked] == ["Bearer node:secret"]
    assert told == [f"asking {url}", f"answer file: {url}"]
