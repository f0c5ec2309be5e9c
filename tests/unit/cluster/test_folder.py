"""What a node keeps about its cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cluster.folder import Folder
from agent.step import Retry


def test_only_one_program_joins_at_a_time(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "cluster")
    with folder.alone():
        with pytest.raises(Retry, match="another program"):
            with folder.alone():
                pass
    with folder.alone():
        pass


def test_secrets_are_for_root_and_replaced_whole(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "cluster")
    assert folder.read(folder.key) is None
    folder.write(folder.key, "one")
    folder.write(folder.key, "two")
    assert folder.read(folder.key) == "two"
    assert folder.key.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.root.iterdir()] == ["node.key"]
