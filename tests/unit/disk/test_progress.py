"""How far a copy is, from what the tools say."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.errors import SlipwayError
from agent.disk import progress
from agent.disk.progress import btrfs_percent, follow, md, zfs_percent


@pytest.mark.parametrize(
    ("scan", "percent"),
    [
        ({}, 100),
        ({"function": "SCRUB", "state": "SCANNING"}, 100),
        ({"function": "RESILVER", "state": "FINISHED"}, 100),
        ({"function": "RESILVER", "state": "SCANNING", "issued": 30, "to_examine": 120}, 25),
        ({"function": "RESILVER", "state": "SCANNING", "issued": 120, "to_examine": 120}, 99),
        ({"function": "RESILVER", "state": "SCANNING", "issued": 0, "to_examine": 0}, 0),
    ],
)
def test_zfs(scan: dict[str, object], percent: float) -> None:
    assert zfs_percent({"scan_stats": scan}) == percent


@pytest.mark.parametrize(
    ("state", "completed", "percent"),
    [
        ("spare", "none", 0),
        ("spare", "delayed", 0),
        ("spare", "1000 / 4000", 25),
        ("in_sync", "none", 100),
    ],
)
def test_md(tmp_path: Path, state: str, completed: str, percent: float) -> None:
    member = tmp_path / "md127/md/dev-vdc3"
    member.mkdir(parents=True)
    (member / "state").write_text(f"{state}\n")
    (tmp_path / "md127/md/sync_completed").write_text(f"{completed}\n")
    assert md("/dev/md127", "/dev/vdc3", tmp_path) == percent


def test_a_new_member_that_fails(tmp_path: Path) -> None:
    member = tmp_path / "md127/md/dev-vdc3"
    member.mkdir(parents=True)
    (member / "state").write_text("faulty\n")
    with pytest.raises(SlipwayError, match="the new disk failed"):
        md("/dev/md127", "/dev/vdc3", tmp_path)


@pytest.mark.parametrize(
    ("said", "percent"),
    [
        ("12.5% done, 0 write errs, 0 uncorr. read errs\n", 12.5),
        ("100.0% done, 0 write errs, 0 uncorr. read errs\n", 99),
        ("Started on 1.Jan 00:00:00, finished on 1.Jan 00:10:00, 0 write errs\n", 0),
        ("Never started\n", 0),
    ],
)
def test_btrfs(said: str, percent: float) -> None:
    assert btrfs_percent(said) == percent


def test_each_per_cent_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "POLL_SECONDS", 0.0)
    answers = iter([0.0, 10.2, 10.9, 100.0])
    follow(lambda: next(answers))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == ["0", "10", "100"]
