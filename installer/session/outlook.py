"""What would happen now: the draft against the machine. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from agent.core.errors import SlipwayError
from installer.answers.problems import Problem
from installer.answers.schema import Answer
from installer.inventory.model import Inventory
from installer.plan.model import Plan, PlannedDisk, UnpackImage
from installer.plan.network import plan_network
from installer.plan.planner import make_plan
from installer.plan.show import action_text, plan_text, size_text
from installer.plan.storage import plan_storage
from installer.session.draft import CONSENT, Document, check, disk_setup, value_at
from installer.session.protocol import FieldProblem, PlanView, Step

WEB_PORT = 9090
# How long steps take compared with each other, measured on a machine with one SSD; the rest is
# done in a moment.
UNPACK_WEIGHT, STEP_WEIGHT = 60, 1
MEDIUM_WEIGHT, LOOK_WEIGHT = 10, 2
# The whole, and the steps around the plan's own, by the names that events have.
INSTALLATION = "installation"
LOOK, MEDIUM = "look at the machine and plan", "check the installation medium"


@dataclass(frozen=True)
class Outlook:
    """What front ends see of a draft, and the plan and answer that would be carried out."""

    answer: Answer | None = None
    plan: Plan | None = None
    problems: tuple[FieldProblem, ...] = ()
    disks: tuple[PlannedDisk, ...] = ()
    disks_problem: str = ""
    view: PlanView | None = None
    plan_problem: str = ""


def look_ahead(draft: Document, inventory: Inventory) -> Outlook:
    """Check the draft and plan with it. Whoever starts the plan gives consent to erase."""
    answer, problems = check(draft)
    disks, disks_problem = _plan_disks(draft, inventory)
    if answer is None:
        shown = tuple(_shown(problem, draft) for problem in problems)
        return Outlook(problems=shown, disks=disks, disks_problem=disks_problem)
    answer = answer.model_copy(update=CONSENT)
    try:
        plan = make_plan(answer, inventory)
    except SlipwayError as error:
        return Outlook(answer, disks=disks, disks_problem=disks_problem, plan_problem=str(error))
    view = view_of(plan, node_address(answer, inventory))
    return Outlook(answer, plan, disks=plan.disks, view=view)


def _plan_disks(draft: Document, inventory: Inventory) -> tuple[tuple[PlannedDisk, ...], str]:
    setup = disk_setup(draft)
    if setup is None:
        return (), ""
    try:
        return plan_storage(setup, "selected", inventory).disks, ""
    except SlipwayError as error:
        return (), str(error)


def _shown(problem: Problem, draft: Document) -> FieldProblem:
    given = value_at(draft, problem.path) not in (None, "", [])
    return FieldProblem(path=problem.path, message=problem.message, given=given)


def view_of(plan: Plan, address: str) -> PlanView:
    """The plan as a person reads it before starting it."""
    return PlanView(
        digest=hashlib.sha256(plan.model_dump_json().encode()).hexdigest(),
        text=plan_text(plan),
        erased=tuple(_erased(plan)),
        address=address,
    )


def _erased(plan: Plan) -> Iterator[str]:
    for disk in plan.disks:
        if disk.use != "untouched":
            contents = ", ".join(dict.fromkeys(content.kind for content in disk.contents))
            words = (disk.path, size_text(disk.size_bytes), disk.model, disk.serial)
            yield f"{' '.join(filter(None, words))}: {contents or 'empty'}"


def node_address(answer: Answer, inventory: Inventory) -> str:
    """Where the node's web page will be."""
    network = plan_network(answer.network, answer.global_.fqdn, inventory)
    first = next(iter(network.addresses), network.fqdn).partition("/")[0]
    return f"https://[{first}]:{WEB_PORT}/" if ":" in first else f"https://{first}:{WEB_PORT}/"


def steps_of(plan: Plan) -> tuple[Step, ...]:
    """The steps of an installation, for a bar that shows how far it is."""
    return (
        Step(text=LOOK, weight=LOOK_WEIGHT),
        Step(text=MEDIUM, weight=MEDIUM_WEIGHT),
        *(
            Step(
                text=action_text(action),
                weight=UNPACK_WEIGHT if isinstance(action, UnpackImage) else STEP_WEIGHT,
            )
            for action in plan.actions
        ),
    )
