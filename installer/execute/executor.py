"""Does a plan's actions one after the other; what each does is in the modules beside this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from installer.execute import accounts, files, target
from installer.execute.storage import EXECUTORS as STORAGE
from installer.medium import NODE_IMAGE, Medium
from installer.plan.model import (
    Action,
    AddUser,
    CopyKernel,
    InstallBootLoader,
    KeepLog,
    Plan,
    RunInTarget,
    SetPassword,
    Unmount,
    UnpackImage,
    WriteFiles,
    WriteFirstBoot,
    WriteIdentity,
    WriteSecret,
)
from installer.plan.show import action_text
from installer.report.events import Progress, Report

TARGET = Path("/target")


@dataclass(frozen=True)
class Installation:
    """All that executing a plan needs. secrets: by the names that the plan's actions use;
    first_boot: the program of the first boot, if the plan has one; reached: is told the number of
    each action, from 0, before it is done."""

    plan: Plan
    medium: Medium
    secrets: Mapping[str, SecretStr]
    report: Report
    log: Path
    root: Path = TARGET
    first_boot: bytes = b""
    reached: Callable[[int], None] = lambda _number: None

    def execute(self, begin: int = 0) -> files.NodeIdentity:
        """Do every action from this number on; gives who the node is.

        Raises SlipwayError at the first that fails.
        """
        self.root.mkdir(exist_ok=True)
        node = files.NodeIdentity("", {})
        for number, action in enumerate(self.plan.actions[begin:], begin):
            self.reached(number)
            if isinstance(action, Unmount):
                node = files.read_identity(self.root)
            if isinstance(action, UnpackImage) and action.image == NODE_IMAGE:
                self.report.message("disks ready")
            with self.report.step(action_text(action)) as progress:
                self._do(action, progress)
            if isinstance(action, CopyKernel):
                self.report.message("image unpacked")
        return node

    def _do(self, action: Action, progress: Progress) -> None:
        match action:
            case UnpackImage():
                target.unpack_image(self.medium, action.image, self.root, progress)
            case CopyKernel():
                target.copy_kernel(self.medium, self.root)
            case WriteFiles():
                files.write_files(self.plan.files, self.root)
            case WriteFirstBoot():
                files.write_program(self.first_boot, action.path, self.root)
            case WriteSecret():
                secret = self.secrets[action.secret].get_secret_value()
                files.write_secret(secret, action.path, self.root)
            case SetPassword():
                secret = self.secrets[action.secret].get_secret_value()
                accounts.set_password(self.root, action.user, secret, hashed=action.hashed)
            case AddUser():
                accounts.add_user(action, self.root)
            case WriteIdentity():
                files.write_identity(self.root)
            case InstallBootLoader():
                warning = target.install_boot_loader(action, self.medium, self.root)
                if warning:
                    self.report.message(f"warning: {warning}")
            case RunInTarget():
                target.run_in_target(action.argv, self.root)
            case KeepLog():
                target.keep_log(self.log, action.path, self.root)
            case Unmount():
                target.unmount(self.root)
            case _:
                STORAGE[type(action)](action, self.root)
