"""What the build leaves in out/."""

from __future__ import annotations

import json
from pathlib import Path

from agent.core.command import run
from image.build import MANIFEST, is_published, publish
from image.node import remove_idle_profiles


def make_files(folder: Path) -> list[Path]:
    folder.mkdir()
    files = [folder / "slipway-1-amd64.iso", folder / "slipway_1_all.deb"]
    for file in files:
        file.write_text(file.name)
    return files


def test_digests_can_be_checked_by_sha256sum(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "slipway-0-amd64.iso").touch()
    publish(make_files(tmp_path / "made"), out)
    assert "slipway-1-amd64.iso: OK" in run(["sha256sum", "-c", "SHA256SUMS"], cwd=out).stdout
    assert not (out / "slipway-0-amd64.iso").exists()


def test_published_means_same_steps_and_all_files(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    files = make_files(tmp_path / "made")
    assert not is_published({"iso": "1"}, files, out)
    publish(files, out)
    (out / MANIFEST).write_text(json.dumps({"steps": {"iso": "1"}}))
    assert is_published({"iso": "1"}, files, out)
    assert not is_published({"iso": "2"}, files, out)
    (out / "slipway_1_all.deb").unlink()
    assert not is_published({"iso": "1"}, files, out)


def test_only_profiles_that_confine_nothing_are_removed(tmp_path: Path) -> None:
    profiles = tmp_path / "etc/apparmor.d"
    (profiles / "abstractions").mkdir(parents=True)
    (profiles / "steam").write_text("profile steam /usr/bin/steam flags=(unconfined) { userns, }")
    (profiles / "chronyd").write_text("profile chronyd /usr/sbin/chronyd { }")
    remove_idle_profiles(tmp_path)
    assert sorted(path.name for path in profiles.iterdir()) == ["abstractions", "chronyd"]
