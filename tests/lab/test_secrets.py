"""What the answer file keeps secret is nowhere to be read on a node that is ready."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.answers import FQDN, PASSWORD
from tests.lab.conftest import RunningNode

pytestmark = pytest.mark.lab

# Everything on disk and in memory file systems; not the kernel's own views.
SEARCH = ["grep", "--recursive", "--files-with-matches", "--fixed-strings", "--text"]
SKIPPED = [f"--exclude-dir={name}" for name in ("proc", "sys", "dev")]
SEARCH_LIMIT = 600


def files_with(node: RunningNode, text: str) -> list[str]:
    """The node's files that hold the text, which is handed over without being an argument."""
    search = [*SEARCH, *SKIPPED, "--file=-", "/"]
    # Status 2: files vanished while it searched.
    found = node.ssh.run(search, check=False, input=f"{text}\n", limit=SEARCH_LIMIT)
    return found.stdout.splitlines()


# Prints "same" when the line on standard input is the password of root.
CHECK_PASSWORD = """
my $password = <STDIN>; chomp $password;
open my $file, '<', '/etc/shadow'; my ($hash) = map { (split /:/)[1] } grep { /^root:/ } <$file>;
print crypt($password, $hash) eq $hash ? 'same' : 'different';
"""


def test_the_password_came_through_intact(node: RunningNode) -> None:
    for line, expected in ((PASSWORD, "same"), (PASSWORD[:-1], "different")):
        result = node.ssh.run(["perl", "-e", CHECK_PASSWORD], input=f"{line}\n")
        assert result.stdout == expected


def test_no_file_holds_the_password(node: RunningNode) -> None:
    assert "/etc/hosts" in files_with(node, FQDN)
    assert files_with(node, PASSWORD) == []


def test_the_journal_does_not_hold_the_password(node: RunningNode) -> None:
    """Its files are compressed, so a search through files would miss it."""
    journal = node.ssh.output("journalctl", "--all", "--output", "json", "--no-pager")
    assert FQDN.partition(".")[0] in journal
    assert PASSWORD not in journal


def test_what_consoles_showed_does_not_hold_the_password(node: RunningNode) -> None:
    logs = [path for path in Path(node.logs).rglob("*.log") if path.stat().st_size]
    assert any("slipway-installer" in path.read_text(errors="replace") for path in logs)
    assert [path for path in logs if PASSWORD in path.read_text(errors="replace")] == []
