"""Rendering of `config-templates/`: every file that lands on a node comes from here."""

from __future__ import annotations

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
    try:
        return environment.get_template(f"{name}.j2").render(**values)
    except jinja2.TemplateError as error:
        raise SlipwayError(
            f"the template cannot be rendered: {error}", where=f"config-templates/{name}.j2"
        ) from error
