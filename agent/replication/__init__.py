"""Replication: disks of guests on ZFS are copied to other members again and again, by syncoid."""
