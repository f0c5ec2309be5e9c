"""Rendering of `config-templates/`: every file that lands on a node comes from here."""

from __future__ import annotations

import shutil
from pathlib import Path

import jinja2

from agent.core.errors import SlipwayError

# Beside the packages, in the checkout as on the node (/usr/lib/slipway).
TEMPLATES = Path(__file__).resolve().parents[2] / "config-templates"


def render(name: str, /, **values: object) -> str:
    """Render the template `name`, a path below config-templates without its `.j2`.

    Raises SlipwayError when the template is missing or uses a value that was not given.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["roff"] = roff
    try:
        return environment.get_template(f"{name}.j2").render(**values)
    except jinja2.TemplateError as error:
        raise SlipwayError(
            f"the template cannot be rendered: {error}", where=f"config-templates/{name}.j2"
        ) from error


def roff(text: str) -> str:
    """The text as it is, for a manual page: no word of it is a request of troff."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(
        f"\\&{line}" if line.startswith((".", "'")) else line for line in escaped.splitlines()
    )


def render_tree(folder: str, target: Path, /, **values: object) -> list[Path]:
    """Lay the tree config-templates/FOLDER over the tree `target`; gives the files written.

    Names ending in .j2 are rendered, all others copied; both keep their permissions.
    """
    written = []
    for source in sorted((TEMPLATES / folder).rglob("*")):
        if source.is_dir():
            continue
        path = target / source.relative_to(TEMPLATES / folder)
        if source.suffix == ".j2":
            path = path.with_suffix("")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if source.suffix == ".j2":
            name = source.relative_to(TEMPLATES).with_suffix("")
            path.write_text(render(str(name), **values))
            shutil.copymode(source, path)
        else:
            shutil.copy2(source, path, follow_symlinks=False)
        written.append(path)
    return written
