"""What front ends and the engine say to each other: lines of JSON over the engine's socket.

A front end sends commands. It is sent a reply to each, and from its first command on the state
whenever that changes. docs/console.md describes the forms.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, TypeAdapter

from installer.inventory.model import Model
from installer.plan.model import PlannedDisk

# What a person types to have disks erased, in every language.
CONFIRMATION = "erase"
# looking: for an answer; choosing: a person makes the answer; rescue: of installed systems.
Stage = Literal["looking", "choosing", "installing", "failed", "installed", "rescue", "leaving"]
Language = Literal["en", "de"]


class Attach(Model):
    """The first word of a front end. console: the device that it draws on, which the engine then
    writes no lines to; empty for none."""

    command: Literal["attach"] = "attach"
    name: str = Field(max_length=64)
    console: str = Field("", max_length=32)


class Set(Model):
    """Change one key of the draft; None removes it. version: of the state that the person saw."""

    command: Literal["set"] = "set"
    path: tuple[str, ...] = Field(min_length=1, max_length=8)
    value: Any = None
    version: int = 0


class SetPassword(Model):
    """Set root's password; the draft gets its hash."""

    command: Literal["set-password"] = "set-password"
    password: SecretStr


class SetLanguage(Model):
    """Change the language of all front ends."""

    command: Literal["set-language"] = "set-language"
    language: Language


class Probe(Model):
    """Look at the machine again."""

    command: Literal["probe"] = "probe"


class ImportKeys(Model):
    """Add a person's public SSH keys: "gh:NAME" or "gl:NAME"."""

    command: Literal["import-keys"] = "import-keys"
    source: str = Field(max_length=100)


class Start(Model):
    """Install what the plan with this digest says. confirmation: the word that was typed."""

    command: Literal["start"] = "start"
    confirmation: str
    digest: str


class Retry(Model):
    """Go on after a failure: with the step that failed, or from the beginning."""

    command: Literal["retry"] = "retry"
    begin: Literal["failed", "beginning"] = "failed"


class Choose(Model):
    """Leave a failure or the rescue, and change the choices."""

    command: Literal["choose"] = "choose"


class AnswerFile(Model):
    """Give the choices as an answer file; saved to this partition of a USB stick, if one is given.

    The reply has `text`.
    """

    command: Literal["answer-file"] = "answer-file"
    device: str = ""


class Sticks(Model):
    """Give the partitions of USB sticks that files can be saved to, as `sticks` in the reply."""

    command: Literal["sticks"] = "sticks"


class SendLog(Model):
    """Send the log: POST it to an address, or save it to this partition of a USB stick."""

    command: Literal["send-log"] = "send-log"
    url: str = ""
    device: str = ""


class Leave(Model):
    """End the session: restart the machine or switch it off."""

    command: Literal["leave"] = "leave"
    mode: Literal["reboot", "power-off"]


class Rescue(Model):
    """Find installed systems, mount one, repair one. system: its number in the state's list."""

    command: Literal["rescue"] = "rescue"
    action: Literal["find", "mount", "boot-loader", "password", "release"]
    system: int = Field(0, ge=0)
    password: SecretStr = SecretStr("")


Command = Annotated[
    Attach
    | Set
    | SetPassword
    | SetLanguage
    | Probe
    | ImportKeys
    | Start
    | Retry
    | Choose
    | AnswerFile
    | Sticks
    | SendLog
    | Leave
    | Rescue,
    Field(discriminator="command"),
]
COMMAND: TypeAdapter[Command] = TypeAdapter(Command)


class Request(Model):
    """One line from a front end. id: comes back with the reply."""

    id: int = 0
    command: Command


class Reply(Model):
    """The answer to one command: result, or what was wrong."""

    id: int
    result: dict[str, Any] = {}
    error: str = ""


class FieldProblem(Model):
    """What is wrong at one place of the draft. given: a value is there, it is not just missing."""

    path: tuple[str | int, ...]
    message: str
    given: bool


class Change(Model):
    """The last change of the draft, and who made it. over: it replaced one not seen yet."""

    path: tuple[str, ...]
    by: str
    over: bool = False


class PlanView(Model):
    """The plan that would be carried out now. erased: the disks that lose what they hold."""

    digest: str
    text: str
    erased: tuple[str, ...]
    address: str


class Step(Model):
    """One step of an installation and its share of the whole, as a number of units."""

    text: str
    weight: int


class Failure(Model):
    """Why the installation ended. retry: the failed step can be done again."""

    message: str
    where: str = ""
    hint: str = ""
    step: str = ""
    retry: bool = False


class Access(Model):
    """How to come in over SSH."""

    user: str
    password: str


class FoundSystem(Model):
    """An installed system that the rescue found.

    options: those that mount its root; place: where it is mounted, empty if it is not; slipway:
    it is a node.
    """

    name: str
    device: str
    storage: str
    options: str = ""
    place: str = ""
    slipway: bool = False


class State(Model):
    """All that front ends show. version: grows with every change of the draft; checked: the one
    that problems and plan belong to.

    disks: what would happen to every disk; disks_problem, plan_problem: why there is no plan.
    """

    version: int = 0
    checked: int = 0
    stage: Stage = "looking"
    attended: bool = False
    language: Language = "en"
    draft: dict[str, Any] = {}
    problems: tuple[FieldProblem, ...] = ()
    changed: Change | None = None
    disks: tuple[PlannedDisk, ...] = ()
    disks_problem: str = ""
    plan: PlanView | None = None
    plan_problem: str = ""
    steps: tuple[Step, ...] = ()
    failure: Failure | None = None
    address: str = ""
    access: Access | None = None
    busy: str = ""
    systems: tuple[FoundSystem, ...] = ()
    found: bool = False
