"""Backups of virtual machines (virtnbdbackup) and containers (tar), kept in a folder."""
