"""Progress: one bar, what happens now, seconds of each step, the log on a key."""

from __future__ import annotations

from installer.ui.page import Bar, Do, Drawing, Page
from installer.ui.text import _
from installer.ui.view import View

# Lines around the steps: title, bar, current step, key line.
AROUND = 11


def installing_page(view: View) -> Page:
    progress, room = view.progress, max(4, view.height - AROUND)
    shown = [
        f"{stage.seconds:7.1f} s  {stage.text}" + ("" if stage.success else f"  {_('FAILED')}")
        for stage in progress.stages[-room:]
    ]
    return Page(
        "installing",
        _("Installing"),
        help=_(
            "The installation goes on by itself, whether this screen is there or not. F4 shows "
            "and hides the log. There is no way back from here: the disks are being written."
        ),
        lines=(progress.current or _("preparing"),),
        fields=(
            Bar("bar", progress.done(view.state.steps)),
            Drawing("stages", tuple(shown)),
        ),
        next=(Do("show-log"),),
        next_label=_("Log"),
    )
