"""Installations that differ from the usual one in all that they can: the long part."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab.answers import ADDRESS, answer
from tests.lab.arguments import Accelerator
from tests.lab.install import LOGIN_LIMIT, install, node_spec, wait_until_ready
from tests.lab.layouts import LAYOUTS
from tests.lab.ssh import Key

pytestmark = [pytest.mark.lab, pytest.mark.matrix]


def test_secure_boot_xfs_and_dhcp(
    built_iso: Path, accelerator: Accelerator, key: Key, folder: Path
) -> None:
    layout = LAYOUTS["lvm-xfs"]
    wanted = answer(layout, key.public, dhcp=True)
    spec = node_spec("variant", "uefi-sb", layout)
    node, _ = install(spec, wanted, built_iso, key, accelerator, folder)
    with node.boot(folder / "boot") as machine:
        wait_until_ready(machine)
        node.ssh.wait_until_up(LOGIN_LIMIT)
        address = json.loads(node.ssh.output("ip", "-json", "-4", "address", "show", "vmbr0"))
        assert address[0]["addr_info"][0]["dynamic"] is True
        assert address[0]["addr_info"][0]["local"] == ADDRESS.partition("/")[0]
        assert node.ssh.output("findmnt", "-no", "FSTYPE", "/") == "xfs"
        # The variable's attributes, four bytes, and its value.
        variable = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
        value = node.ssh.output("od", "-An", "-tu1", f"/sys/firmware/efi/efivars/{variable}")
        assert value.split()[-1] == "1"
