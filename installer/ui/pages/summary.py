"""The last page before anything is written: the plan, what is erased, and the word to type."""

from __future__ import annotations

from collections.abc import Iterator

from installer.answers.problems import key_text
from installer.session.protocol import CONFIRMATION, PlanView, Start, Sticks
from installer.ui.page import Button, Drawing, Field, Go, Page, Remember, Text
from installer.ui.text import _
from installer.ui.view import View


def summary_page(view: View) -> Page:
    plan = view.state.plan
    if plan is None:
        lines, warning = tuple(_missing(view)), ""
        blocked = view.state.plan_problem or _("there is no plan yet")
        fields: tuple[Field, ...] = (_save(),)
    else:
        lines, blocked = (), ""
        warning = "\n".join((_("These disks are ERASED:"), *plan.erased))
        fields = tuple(_fields(view, plan))
    return Page(
        "summary",
        _("Summary"),
        help=_(
            "This is all that will be done; nothing has been done yet. The disks in the list lose "
            "everything that is on them. Type the word to show that you have read it, and press "
            "the button. Going back changes nothing."
        ),
        lines=lines,
        warning=warning,
        fields=fields,
        blocked=blocked,
    )


def _fields(view: View, plan: PlanView) -> Iterator[Field]:
    yield Drawing("plan", tuple(plan.text.splitlines()), long=True)
    typed = view.memory.get("confirmation", "")
    reply = view.replies.get("start")
    unfinished = typed and not CONFIRMATION.startswith(typed)
    expected = _('type "{word}"').format(word=CONFIRMATION)
    yield Text(
        "confirmation",
        _('Type "{word}" to go on').format(word=CONFIRMATION),
        typed,
        lambda text: (Remember("confirmation", text.strip()),),
        expected if unfinished else (reply.error if reply else ""),
    )
    if typed == CONFIRMATION:
        start = Start(confirmation=typed, digest=plan.digest)
        yield Button("start", _("Install now"), (Remember("confirmation", ""), start))
    yield _save()


def _missing(view: View) -> Iterator[str]:
    if view.state.plan_problem:
        yield view.state.plan_problem
    elif view.state.problems:
        yield _("Something is missing:")
        for problem in view.state.problems:
            yield f"{key_text(problem.path)}: {problem.message}"
    else:
        yield _("The plan is being made ...")


def _save() -> Button:
    return Button("save", _("Save the choices as an answer file"), (Sticks(), Go("save")))
