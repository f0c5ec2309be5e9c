"""Planning of storage: which disks, which layout on them, which actions make it."""

from installer.plan.storage.planner import plan_storage

__all__ = ["plan_storage"]
