"""`python3 -m tests.lab try`: see tests.lab.tryout and tests.lab.tryout_fleet."""

from __future__ import annotations

import argparse
import sys
from typing import get_args

from agent.core.errors import SlipwayError
from tests.lab import iso
from tests.lab.layouts import LAYOUTS
from tests.lab.spec import FirmwareName
from tests.lab.tryout import tryout
from tests.lab.tryout_fleet import tryout_fleet


def main() -> int:
    """Run the command line; 0 when the node became ready, 1 when it did not."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.lab", description="QEMU laboratory")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    trying = commands.add_parser("try", help="install the built ISO on a blank machine")
    trying.add_argument("--layout", choices=LAYOUTS, default="lvm-ext4", help="how disks are used")
    trying.add_argument(
        "--firmware", choices=get_args(FirmwareName), default="uefi", help="how the machine starts"
    )
    trying.add_argument(
        "--nodes",
        type=int,
        default=1,
        choices=range(1, 9),
        metavar="N",
        help="with 2 to 8: so many machines that become one cluster (layout lvm-ext4)",
    )
    trying.add_argument("--keep", action="store_true", help="leave the node running")
    chosen = parser.parse_args()
    try:
        if chosen.nodes > 1:
            folder = iso.OUT / "try-fleet"
            tryout_fleet(chosen.nodes, chosen.firmware, keep=chosen.keep, folder=folder)
            return 0
        tryout(chosen.layout, chosen.firmware, keep=chosen.keep, folder=iso.OUT / "try")
    except SlipwayError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
