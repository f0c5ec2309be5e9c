"""Second factors with a stand-in for google-authenticator; tests/cluster/test_sign_in.py has it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from agent import second_factor
from agent.core.command import Argument, Result
from agent.core.errors import SlipwayError

WRITTEN = """\
LSPDMOXDYB6ED7KZLBF5HNMROM
" RATE_LIMIT 3 30
" TOTP_AUTH
28995367
46618704
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def write(argv: Sequence[Argument]) -> Result:
        words = [str(word) for word in argv]
        (secret,) = (word for word in words if word.startswith("--secret="))
        Path(secret.removeprefix("--secret=")).write_text(WRITTEN)
        assert not [word for word in words if "LSPD" in word]
        return Result(tuple(words), 0, "", "")

    monkeypatch.setattr(second_factor, "run", write)
    return tmp_path / "second-factor"


def test_enrolment_gives_what_the_app_reads(folder: Path) -> None:
    made = second_factor.enrol("root", "node1.example.org", folder)
    uri = urlsplit(made.uri)
    assert (uri.scheme, uri.netloc, uri.path) == (
        "otpauth",
        "totp",
        "/Slipway:root@node1.example.org",
    )
    assert parse_qs(uri.query) == {"secret": [WRITTEN.split()[0]], "issuer": ["Slipway"]}
    assert made.codes == ("28995367", "46618704")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_nobody_is_enrolled_twice_by_mistake(folder: Path) -> None:
    second_factor.enrol("root", "node1", folder)
    with pytest.raises(SlipwayError, match="root has a second factor"):
        second_factor.enrol("root", "node1", folder)
    second_factor.remove("root", folder)
    second_factor.enrol("root", "node1", folder)


def test_accounts_must_be_known(folder: Path) -> None:
    with pytest.raises(SlipwayError, match="no account nobody-here"):
        second_factor.enrol("nobody-here", "node1", folder)
    assert not folder.exists()


def test_only_what_is_there_is_removed(folder: Path) -> None:
    outside = folder.parent / "kept"
    outside.touch()
    second_factor.enrol("root", "node1", folder)
    for name in ("daemon", "../kept"):
        with pytest.raises(SlipwayError, match="has no second factor"):
            second_factor.remove(name, folder)
    assert outside.exists()
