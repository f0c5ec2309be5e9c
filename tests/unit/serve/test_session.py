"""Passwords and cookies."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from agent.core.errors import SlipwayError
from image.serve.page import session


def test_a_password_is_made_and_told_once(tmp_path: Path) -> None:
    sessions, password = session.load(tmp_path, None)
    assert sessions.right(password) and not sessions.right(password + "x")
    again, told = session.load(tmp_path, None)
    assert told == "" and again.right(password)
    assert again.valid(sessions.new())
    assert password not in (tmp_path / "password").read_text()
    for name in ("password", "session.key"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_password_that_was_given(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("word\n")
    sessions, told = session.load(tmp_path, tmp_path / "file")
    assert sessions.right("word") and told == ""
    header = "Basic " + base64.b64encode(b"me:word").decode()
    assert sessions.right_header(header) and sessions.right_header(header)
    for wrong in (
        "",
        "Basic",
        "Basic !",
        "Bearer x",
        "Basic " + base64.b64encode(b"word").decode(),
    ):
        assert not sessions.right_header(wrong)
    (tmp_path / "file").write_text("\n")
    with pytest.raises(SlipwayError):
        session.load(tmp_path, tmp_path / "file")


def test_cookies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions, _ = session.load(tmp_path, None)
    cookie = sessions.new()
    assert sessions.valid(cookie)
    for wrong in ("", "x", "..", cookie + "0", "9" + cookie, cookie.replace(".", "", 1), "\udcff"):
        assert not sessions.valid(wrong)
    assert sessions.form_token(cookie) != sessions.form_token(sessions.new())
    monkeypatch.setattr(session, "SECONDS", -1)
    assert not sessions.valid(sessions.new())
