"""The engine: takes an installation from an answer to the reboot, and tells what happens.

It holds all state. With an answer it needs nobody; without one, or when something is wrong, it
waits for what people ask for through its session.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from agent.core.command import run
from agent.core.errors import SlipwayError
from installer.answers.schema import Answer
from installer.answers.sources import identify
from installer.execute import target
from installer.execute.accounts import check_accounts
from installer.execute.executor import TARGET, Installation
from installer.first_boot import load_program
from installer.inventory.model import Inventory
from installer.inventory.probe import probe
from installer.medium import INITRD, KERNEL, Medium
from installer.plan.model import AddUser, Plan, UnpackImage
from installer.plan.planner import make_plan, secrets_of
from installer.plan.show import plan_text
from installer.report.document import node_document, read_system
from installer.report.events import Report
from installer.report.webhooks import webhooks
from installer.session.outlook import INSTALLATION, LOOK, MEDIUM

LOG = Path("/run/slipway/installer.log")
# How long the first DHCP leases may take, in seconds.
NETWORK_SECONDS = 60


@dataclass
class MediumCheck:
    """Reads the whole medium in the background, while the answer is looked for."""

    medium: Medium
    error: SlipwayError | None = None
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._verify, daemon=True)
        self.thread.start()

    def _verify(self) -> None:
        try:
            self.medium.verify(lambda done, total: None)
        except SlipwayError as error:
            self.error = error
        except OSError as error:
            self.error = SlipwayError(
                "the installation medium cannot be read",
                where=error.filename,
                hint=f"{error.strerror}; no disk was changed",
            )

    def wait(self) -> None:
        """Wait until all is read. Raises SlipwayError when something differs."""
        self.thread.join()
        if self.error:
            raise self.error


@dataclass
class Begun:
    """An installation under way; reached: the number of the action that it is at."""

    installation: Installation
    inventory: Inventory
    reached: int = 0


@dataclass
class Engine:
    """One installation of this machine. planned: is told the plan before it is carried out."""

    report: Report
    log: Path
    planned: Callable[[Plan], None] = lambda _plan: None
    begun: Begun | None = None

    def install(
        self,
        answer: Answer,
        check: MediumCheck,
        *,
        confirmed: Plan | None = None,
        resume: bool = False,
    ) -> SlipwayError | None:
        """Plan, check, act. None when the node is installed, or why not, which has been told.

        Before the first action nothing is changed. confirmed: the only plan that may be carried
        out, because a person has agreed to it; resume: go on with the action that failed.
        """
        with webhooks(answer, identify, self.log, self.report) as hooks:
            try:
                with self.report.step(INSTALLATION):
                    begun = self.begun if resume else None
                    begun = begun or self._prepare(answer, check, confirmed)
                    node = begun.installation.execute(begun.reached)
            except Exception as error:
                failure = explained(error)
                self.report.failure(failure)
                hooks.failed(failure)
                return failure
            self.begun = None
            self.report.message("installed")
            plan, inventory = begun.installation.plan, begun.inventory
            hooks.succeeded(lambda: node_document(answer, inventory, plan, node, read_system()))
            return None

    def _prepare(self, answer: Answer, check: MediumCheck, confirmed: Plan | None) -> Begun:
        """Everything before the first action. Raises SlipwayError."""
        self.begun = None
        target.unmount(TARGET)
        if needs_leases(answer):
            self.report.message("waiting for DHCP")
            run(
                ["nm-online", "--quiet", "--wait-for-startup", f"--timeout={NETWORK_SECONDS}"],
                check=False,
            )
        with self.report.step(LOOK):
            inventory = probe()
            plan = make_plan(answer, inventory)
        self._tell(plan)
        if confirmed and plan != confirmed:
            raise SlipwayError(
                "the machine is not what it was when the plan was confirmed",
                hint="nothing was changed; look at the plan again",
            )
        check_accounts(action for action in plan.actions if isinstance(action, AddUser))
        self.report.message("plan made")
        program = self._load_program(answer)
        with self.report.step(MEDIUM):
            check.wait()
            check.medium.obtain(files_of(plan))
        installation = Installation(
            plan,
            check.medium,
            secrets_of(answer),
            self.report,
            self.log,
            first_boot=program,
            reached=self._reached,
        )
        self.begun = Begun(installation, inventory)
        return self.begun

    def _tell(self, plan: Plan) -> None:
        for line in plan_text(plan).splitlines():
            logging.getLogger("installer").info("%s", line)
        for warning in plan.warnings:
            self.report.message(f"warning: {warning}")
        self.planned(plan)

    def _reached(self, number: int) -> None:
        if self.begun:
            self.begun.reached = number

    def _load_program(self, answer: Answer) -> bytes:
        if answer.first_boot is None:
            return b""
        with self.report.step("get the program of the first boot"):
            return load_program(answer.first_boot, self.report.message)


def files_of(plan: Plan) -> tuple[str, ...]:
    """The medium's files that the plan takes."""
    images = (action.image for action in plan.actions if isinstance(action, UnpackImage))
    return (KERNEL, INITRD, *images)


def explained(error: Exception) -> SlipwayError:
    """The error for a person. What a bug report needs of one that is not foreseen is logged."""
    if isinstance(error, SlipwayError):
        return error
    logging.getLogger("installer").error("not foreseen", exc_info=error)
    where = f"the log {LOG} holds what a bug report needs"
    return SlipwayError(f"a defect of the installer: {error!r}", hint=where)


def needs_leases(answer: Answer) -> bool:
    """Whether the plan depends on what DHCP offers."""
    return answer.network.source != "from-answer" or not isinstance(answer.global_.fqdn, str)
