"""The engine: takes an installation from an answer to the reboot, and tells what happens.

Front ends ask it to install and listen to its report. The unattended one is here: it needs
nobody, and leaves the machine to a person when something is wrong.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agent.core.command import run
from agent.core.consoles import ACTIVE, DEVICES, Consoles
from agent.core.errors import SlipwayError
from installer import medium
from installer.answers.schema import Answer
from installer.answers.sources import find_answer, identify
from installer.command_line import COMMAND_LINE
from installer.execute import target
from installer.execute.accounts import check_accounts
from installer.execute.executor import TARGET, Installation
from installer.first_boot import load_program
from installer.inventory.probe import probe
from installer.plan.model import AddUser, Plan, UnpackImage
from installer.plan.planner import make_plan, secrets_of
from installer.plan.show import plan_text
from installer.report.document import node_document, read_system
from installer.report.events import Report
from installer.report.lines import ToConsoles, to_log
from installer.report.remote import ToServer, event_server
from installer.report.server import SOCKET, EventServer
from installer.report.webhooks import Document, webhooks

LOG = Path("/run/slipway/installer.log")
# How long the first DHCP leases may take, in seconds.
NETWORK_SECONDS = 60
REBOOT = {"reboot": ["systemctl", "reboot"], "power-off": ["systemctl", "poweroff"]}


@dataclass
class MediumCheck:
    """Reads the whole medium in the background, while the answer is looked for."""

    medium: medium.Medium
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


@dataclass(frozen=True)
class Engine:
    """One installation of this machine."""

    report: Report
    log: Path

    def install(self, answer: Answer, check: MediumCheck) -> bool:
        """Plan, check, act. Whether the node is installed; if not, the reason has been told.

        Before the first action nothing is changed.
        """
        with webhooks(answer, identify, self.log, self.report) as hooks:
            try:
                with self.report.step("installation"):
                    describe = self._install(answer, check)
            except Exception as error:
                failure = explained(error)
                self.report.failure(failure)
                hooks.failed(failure)
                return False
            self.report.message("installed")
            hooks.succeeded(describe)
            return True

    def _install(self, answer: Answer, check: MediumCheck) -> Callable[[], Document]:
        """Gives what describes the installed node. Raises SlipwayError."""
        target.unmount(TARGET)
        if needs_leases(answer):
            self.report.message("waiting for DHCP")
            run(
                ["nm-online", "--quiet", "--wait-for-startup", f"--timeout={NETWORK_SECONDS}"],
                check=False,
            )
        with self.report.step("look at the machine and plan"):
            inventory = probe()
            plan = make_plan(answer, inventory)
        for line in plan_text(plan).splitlines():
            logging.getLogger("installer").info("%s", line)
        for warning in plan.warnings:
            self.report.message(f"warning: {warning}")
        check_accounts(action for action in plan.actions if isinstance(action, AddUser))
        self.report.message("plan made")
        program = self._load_program(answer)
        with self.report.step("check the installation medium"):
            check.wait()
            check.medium.obtain(files_of(plan))
        installation = Installation(
            plan,
            check.medium,
            secrets_of(answer),
            self.report,
            self.log,
            first_boot=program,
        )
        node = installation.execute()
        return lambda: node_document(answer, inventory, plan, node, read_system())

    def _load_program(self, answer: Answer) -> bytes:
        if answer.first_boot is None:
            return b""
        with self.report.step("get the program of the first boot"):
            return load_program(answer.first_boot, self.report.message)


def files_of(plan: Plan) -> tuple[str, ...]:
    """The medium's files that the plan takes."""
    images = (action.image for action in plan.actions if isinstance(action, UnpackImage))
    return (medium.KERNEL, medium.INITRD, *images)


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


def start_log(path: Path) -> None:
    """Everything goes to this file, and to standard error, which is the journal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [logging.FileHandler(path), logging.StreamHandler()]
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=logging.DEBUG, format=form, handlers=handlers, force=True)


def leave(mode: str) -> None:
    """Restart the machine or switch it off."""
    run(REBOOT[mode])


@contextmanager
def reporting() -> Iterator[Report]:
    """A report to the log, every console, a server, and the clients of the engine's socket."""
    telling = Report([to_log, ToConsoles(Consoles(ACTIVE, DEVICES))])
    with _told_to_server(telling), _told_to_clients(telling):
        yield telling


@contextmanager
def _told_to_server(telling: Report) -> Iterator[None]:
    try:
        server = event_server(COMMAND_LINE.read_text(errors="replace"))
    except SlipwayError as error:
        telling.message(f"warning: events are not told to a server: {error}")
        server = None
    if server is None:
        yield
        return
    listener = ToServer(server)
    telling.listeners.append(listener)
    try:
        yield
    finally:
        telling.listeners.remove(listener)
        if problem := listener.close():
            telling.message(f"warning: {problem}")


@contextmanager
def _told_to_clients(telling: Report) -> Iterator[None]:
    try:
        server = EventServer()
    except OSError as error:
        telling.message(
            f"warning: nobody can follow the installation at {SOCKET}: {error.strerror}"
        )
        yield
        return
    telling.listeners.append(server)
    try:
        yield
    finally:
        server.close()


def run_unattended() -> int:
    """The unattended front end: look for an answer, install, restart. Gives the exit status.

    Without an answer nothing is touched. After a failure the machine stays as it is for a person,
    or restarts when the answer says so.
    """
    start_log(LOG)
    with reporting() as telling:
        return _run_unattended(telling)


def _run_unattended(telling: Report) -> int:
    telling.message("started")
    answer: Answer | None = None
    try:
        check = MediumCheck(medium.load())
        with telling.step("look for an answer file"):
            loaded = find_answer(telling.message)
        if loaded is None:
            telling.message("no answer was found: nothing was touched, and a shell is on this line")
            return 0
        answer = loaded.answer
        for warning in loaded.warnings:
            telling.message(f"warning: {warning}")
        if Engine(telling, LOG).install(answer, check):
            leave(answer.global_.reboot_mode)
            return 0
    except Exception as error:
        telling.failure(explained(error))
    if answer and answer.global_.reboot_on_error:
        telling.message("the answer says reboot-on-error: restarting")
        leave("reboot")
    else:
        telling.message(f"a shell is on this line; the log is in {LOG}")
    return 1
