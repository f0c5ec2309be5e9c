"""A file is replaced whole or not at all, wherever the power goes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.core.files import write_atomically


class PowerCut(BaseException):
    """No program handles it."""


def cut(monkeypatch: pytest.MonkeyPatch, name: str, *, after: bool) -> None:
    """Lose power just before or just after the first call of this function of os."""
    real: Callable[..., Any] = getattr(os, name)

    def call(*arguments: Any, **options: Any) -> Any:
        if after:
            real(*arguments, **options)
        raise PowerCut

    monkeypatch.setattr(os, name, call)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", ["fchmod", "fsync", "replace"])
def test_old_or_new(
    name: str, after: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old")
    with monkeypatch.context() as patch:
        cut(patch, name, after=after)
        with pytest.raises(PowerCut):
            write_atomically(path, "new" * 100_000)
    replaced = name == "replace" and after
    assert path.read_text() == ("new" * 100_000 if replaced else "old")
    write_atomically(path, "newer")
    assert path.read_text() == "newer"
    assert list(tmp_path.iterdir()) == [path]


def test_the_content_is_on_disk_before_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)

        def call(*arguments: Any, name: str = name, real: Any = real) -> None:
            calls.append(name)
            real(*arguments)

        monkeypatch.setattr(os, name, call)
    write_atomically(tmp_path / "file", "text")
    assert calls == ["fsync", "replace", "fsync"]


def test_mode_and_folder(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    write_atomically(path, "text", mode=0o640)
    assert path.stat().st_mode & 0o777 == 0o640
