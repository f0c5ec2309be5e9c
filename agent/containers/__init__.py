"""Unprivileged LXC containers on the node's thin pool, ZFS dataset or btrfs.

Plans are lists of commands (`commands.Command`): `plan` makes them, `commands.perform` runs them
or takes back what was done, and `--explain` prints them. LXC starts and stops what they made.
"""
