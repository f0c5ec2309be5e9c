"""The session: one draft and one state, changed by any number of front ends at once.

Commands come from many threads and are carried out one after the other; what takes time is done
outside of the lock. The last write wins: every change has a version, and everybody is told.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from pydantic import ValidationError

from agent.core.errors import SlipwayError
from installer.inventory.model import Inventory
from installer.session import commands
from installer.session.defaults import first_draft, offered_network
from installer.session.draft import Document, masked, with_value
from installer.session.machine import Machine
from installer.session.outlook import Outlook, look_ahead
from installer.session.protocol import (
    COMMAND,
    CONFIRMATION,
    Change,
    Command,
    Failure,
    Leave,
    Reply,
    Request,
    Retry,
    Set,
    Stage,
    Start,
    State,
)

LOOK_SECONDS = 1.0
# What the engine itself is asked to do, one after the other.
Order = Start | Retry | Leave

log = logging.getLogger("installer")


class Session:
    """What people choose, and what they are told. publish: topic and JSON to all front ends."""

    def __init__(self, machine: Machine, publish: Callable[[str, str], None]) -> None:
        self.machine = machine
        self.orders: SimpleQueue[Order] = SimpleQueue()
        self.inventory: Inventory | None = None
        self.outlook = Outlook()
        self.draft: Document = {}
        self._publish = publish
        self._state = State()
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._names: dict[int, tuple[str, str]] = {}
        self._versions: dict[tuple[str, ...], int] = {}
        self._offered: object = None

    @property
    def state(self) -> State:
        """What front ends are told now."""
        return self._state

    # What front ends ask for.

    def answer(self, client: int, line: bytes) -> bytes:
        """Carry out one command. Never raises: what goes wrong is in the reply."""
        number = 0
        try:
            asked = json.loads(line)
            number = asked["id"] if isinstance(asked.get("id"), int) else 0
            request = Request(id=number, command=COMMAND.validate_python(asked.get("command")))
            reply = Reply(id=number, result=commands.carry_out(self, client, request.command))
        except SlipwayError as error:
            reply = Reply(id=number, error=str(error))
        except (ValueError, AttributeError, TypeError) as error:
            reply = Reply(id=number, error=_misunderstood(error))
        except Exception as error:
            log.exception("a command failed")
            reply = Reply(id=number, error=f"a defect of the installer: {error!r}")
        return reply.model_dump_json().encode()

    def attach(self, client: int, name: str, console: str) -> None:
        """This front end has this name, and draws on this console."""
        with self._lock:
            self._names[client] = name, console

    def gone(self, client: int) -> None:
        """This front end has ended; the session has not."""
        with self._lock:
            self._names.pop(client, None)

    def consoles(self) -> frozenset[str]:
        """The consoles that front ends draw on."""
        with self._lock:
            names = {console for _, console in self._names.values() if console}
        # The kernel knows whichever screen is in front as tty0.
        screens = {"tty0"} if any(name[3:].isdigit() for name in names) else set()
        return frozenset(names | screens)

    def set(self, client: int, command: Set) -> None:
        """Change the draft."""
        with self._lock:
            if self._state.stage != "choosing":
                raise SlipwayError("nothing can be changed now")
            version = self._state.version + 1
            over = self._versions.get(command.path, 0) > command.version > 0
            by = self._names.get(client, ("", ""))[0]
            self._versions[command.path] = version
            self.draft = with_value(self.draft, command.path, command.value)
            self.update(
                version=version,
                draft=masked(self.draft),
                changed=Change(path=command.path, by=by, over=over),
                plan=None,
                plan_problem="",
            )
            self._changed.notify_all()

    def order(self, order: Order) -> None:
        """Ask the engine for something. Raises SlipwayError when it is not the time for it."""
        with self._lock:
            self._check(order)
            self.orders.put(order)
            # Whoever comes next finds that it has been asked for already.
            stage: Stage = "leaving" if isinstance(order, Leave) else "installing"
            self.update(stage=stage, failure=None)

    def _check(self, order: Order) -> None:
        state = self._state
        if not state.attended:
            raise SlipwayError("the installer does not ask anybody")
        if isinstance(order, Retry) and not (state.stage == "failed" and state.failure):
            raise SlipwayError("there is nothing to try again")
        if isinstance(order, Leave) and state.stage in ("installing", "leaving"):
            raise SlipwayError("the installation is going on")
        if isinstance(order, Start):
            if state.stage != "choosing" or state.plan is None:
                raise SlipwayError(state.plan_problem or "there is no plan yet")
            if order.confirmation != CONFIRMATION:
                raise SlipwayError(f'to start, type "{CONFIRMATION}"')
            if order.digest != state.plan.digest:
                raise SlipwayError("the plan has changed meanwhile: read it again")

    # What the engine tells.

    def update(self, **values: object) -> None:
        """Change the state and tell everybody."""
        with self._lock:
            self._state = self._state.model_copy(update=values)
            self._publish("state", self._state.model_dump_json())

    def choose(self, draft: Document | None = None) -> None:
        """From now on people choose. draft: what they begin with, their last or a first one."""
        with self._lock:
            self.draft = draft or self.draft
            self.update(stage="choosing", attended=True, failure=None, draft=masked(self.draft))
            self._changed.notify_all()

    def fail(self, failure: Failure) -> None:
        """The installation has ended; people decide how to go on."""
        self.update(stage="failed", failure=failure)

    def probe(self) -> Inventory:
        """Look at the machine and tell what is new. Raises SlipwayError."""
        inventory = self.machine.probe()
        with self._lock:
            if inventory == self.inventory:
                return inventory
            self.inventory = inventory
            self._publish("inventory", inventory.model_dump_json())
            self._offer(inventory)
            self._changed.notify_all()
        return inventory

    def _offer(self, inventory: Inventory) -> None:
        """Choices that nobody has touched follow what the machine offers."""
        if not self.draft:
            self.draft = first_draft(inventory)
        elif self.draft.get("network") == self._offered:
            self.draft = with_value(self.draft, ("network",), offered_network(inventory))
        else:
            return
        self._offered = self.draft["network"]
        self.update(version=self._state.version + 1, draft=masked(self.draft))

    def watch(self) -> None:
        """Begin to follow the machine and to think ahead, in the background."""
        for work in (self._follow, self._think):
            threading.Thread(target=work, daemon=True).start()

    def _follow(self) -> None:
        """Probe whenever something was plugged in, pulled out, or got a lease."""
        seen: object = None
        pause = threading.Event()
        while True:
            try:
                found = self.machine.fingerprint()
                if found != seen and self._state.stage in ("choosing", "failed", "rescue"):
                    self.probe()
                    seen = found
            except (SlipwayError, OSError) as error:
                log.warning("the machine cannot be looked at: %s", error)
            pause.wait(LOOK_SECONDS)

    def _think(self) -> None:
        """Plan with every new draft or inventory."""
        thought: tuple[Document, Inventory] | None = None
        while True:
            with self._changed:
                while not self._is_new(thought):
                    self._changed.wait()
                draft, inventory = self.draft, self.inventory
            if inventory:
                thought = draft, inventory
                self.tell_outlook(draft, inventory)

    def _is_new(self, thought: tuple[Document, Inventory] | None) -> bool:
        if self._state.stage != "choosing" or not self.draft or not self.inventory:
            return False
        # The very same objects: a draft is never changed, but replaced.
        return thought is None or (thought[0] is not self.draft or thought[1] is not self.inventory)

    def tell_outlook(self, draft: Document, inventory: Inventory) -> None:
        """Plan with this draft and machine, and tell it unless they have changed meanwhile."""
        outlook = look_ahead(draft, inventory)
        with self._lock:
            if (draft, inventory) != (self.draft, self.inventory):
                return
            self.outlook = outlook
            self.update(
                checked=self._state.version,
                problems=outlook.problems,
                disks=outlook.disks,
                disks_problem=outlook.disks_problem,
                plan=outlook.view,
                plan_problem=outlook.plan_problem,
            )


def _misunderstood(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        return f"this is no command: {place}: {first['msg']}"
    return "this is no command"


def command_line(number: int, command: Command) -> bytes:
    """One command as a front end sends it. Secrets are in it."""
    content = command.model_dump(mode="json")
    for name, value in command:
        if hasattr(value, "get_secret_value"):
            content[name] = value.get_secret_value()
    return json.dumps({"id": number, "command": content}).encode() + b"\n"
