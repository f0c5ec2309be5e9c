"""Disks of a running node: which redundant sets they make, and how one takes another's place."""
