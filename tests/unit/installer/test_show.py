"""Every action has words of its own."""

from __future__ import annotations

from typing import get_args

import pytest

from installer.plan.model import Action, KeepLog
from installer.plan.show import TITLES, action_text, size_text
from installer.plan.storage_actions import MakeFilesystem, PartitionDisk

KINDS = [model.model_fields["kind"].default for model in get_args(get_args(Action)[0])]


def test_every_kind_of_action_has_a_title() -> None:
    assert set(TITLES) == set(KINDS)


def test_fields_are_filled_in() -> None:
    action = MakeFilesystem(filesystem="ext4", devices=("/dev/a", "/dev/b"))
    assert action_text(action) == "make ext4 on /dev/a /dev/b"
    assert action_text(KeepLog(path="/x")) == "keep the installer's log in /x"
    assert action_text(PartitionDisk(device="/dev/a", partitions=())).endswith("/dev/a")


@pytest.mark.parametrize(
    ("size", "text"),
    [(512, "512 B"), (1024**3, "1 GiB"), (2 * 1024**4, "2 TiB"), (20 * 1024**3, "20 GiB")],
)
def test_sizes_are_binary(size: int, text: str) -> None:
    assert size_text(size) == text
