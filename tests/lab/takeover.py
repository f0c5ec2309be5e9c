"""How the seconds divide between a node's loss and a guest of it that runs on another one."""

from __future__ import annotations

import re

from tests.lab.errors import LabError
from tests.lab.ssh import Ssh


def shares(ssh: Ssh, lost: str, resource: str, moment: float) -> dict[str, float]:
    """The seconds of each part, from the journal of the node that took the guest over.

    moment: of the loss, by that node's clock, in seconds since 1970. Raises LabError.
    """
    argv = ["journalctl", "--output=short-unix", "--no-pager", f"--since=@{int(moment)}"]
    return parse(ssh.output(*argv, "-u", "corosync", "-u", "pacemaker"), lost, resource, moment)


def parse(journal: str, lost: str, resource: str, moment: float) -> dict[str, float]:
    """The same from the journal's text, in whose lines the time comes first."""
    parts = {
        "corosync misses the node": r"Members left: ",
        "the node counts as reset": rf"Operation 'reboot'.* targeting {lost} .*OK",
        "a node is chosen": rf"Requesting local execution of start operation for {resource} ",
        "it starts": rf"Result of start operation for {resource} .*ok",
    }
    seconds, before = {}, moment
    lines = journal.splitlines()
    for what, marker in parts.items():
        found = next((n for n, line in enumerate(lines) if re.search(marker, line)), None)
        if found is None:
            raise LabError(f"the journal does not say when {what}", where=resource)
        at = float(lines[found].split(maxsplit=1)[0])
        seconds[what] = round(at - before, 1)
        lines, before = lines[found + 1 :], at
    return seconds
