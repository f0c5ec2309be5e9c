"""Pages around the installation: before an answer is looked for, after success, after failure."""

from __future__ import annotations

from collections.abc import Iterator

from installer.session.commands import LOG
from installer.session.protocol import Choose, Failure, Leave, Retry
from installer.ui.page import Button, Do, Drawing, Field, Go, Page
from installer.ui.text import _
from installer.ui.view import View


def looking_page(view: View) -> Page:
    return Page(
        "looking",
        _("Starting"),
        help=_("The installer looks for an answer file. Without one it will ask you."),
        lines=(_("Looking for an answer file ..."),),
        fields=(Drawing("log", view.progress.log[-10:]),),
    )


def installed_page(view: View) -> Page:
    seconds = sum(stage.seconds for stage in view.progress.stages)
    lines = [_("The node is installed, in {seconds:.0f} seconds.").format(seconds=seconds)]
    if view.state.address:
        lines.append(_("After the restart open this address, and log in as root:"))
        lines.append(view.state.address)
    lines.append(_("Take the medium out, or leave the disk first in the boot order."))
    return Page(
        "installed",
        _("Done"),
        help=_("The node restarts and makes itself ready; its console says when it is."),
        lines=tuple(lines),
        fields=(
            Button("reboot", _("Restart"), (Leave(mode="reboot"),)),
            Button("power-off", _("Switch off"), (Leave(mode="power-off"),)),
            Button("save", _("Save the choices as an answer file"), (Go("save"),)),
        ),
    )


def leaving_page(view: View) -> Page:
    return Page(
        "leaving",
        _("Goodbye"),
        help=_("The machine restarts or is switched off."),
        lines=(_("The machine restarts or is switched off ..."),),
    )


def failure_page(view: View) -> Page:
    failure = view.state.failure or Failure(message=_("unknown"))
    return Page(
        "failed",
        _("It did not work"),
        help=_(
            "The installation has ended at the step that is shown. Trying again goes on with that "
            "step; starting over erases the disks once more. Changing the choices leads to the "
            "first page, with all choices kept."
        ),
        lines=tuple(_what(failure)),
        fields=tuple(_ways(failure)),
    )


def _what(failure: Failure) -> Iterator[str]:
    yield _("What: {text}").format(text=failure.message)
    if failure.step:
        yield _("During: {text}").format(text=failure.step)
    if failure.where:
        yield _("Where: {text}").format(text=failure.where)
    if failure.hint:
        yield _("What to do: {text}").format(text=failure.hint)
    yield _("The log is in {path}").format(path=LOG)


def _ways(failure: Failure) -> Iterator[Field]:
    if failure.retry:
        yield Button("retry", _("Try the failed step again"), (Retry(),))
        yield Button("over", _("Start over"), (Retry(begin="beginning"),))
    yield Button("choose", _("Change the choices"), (Choose(), Go("hardware")))
    yield Button("log", _("Show the log"), (Do("show-log"),))
    yield Button("send", _("Send the log"), (Go("send-log"),))
    yield Button("shell", _("Shell"), (Do("shell"),))
    yield Button("reboot", _("Restart"), (Leave(mode="reboot"),))
