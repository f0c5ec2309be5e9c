"""What a catalogue says about a template, and how the one that is asked for is found."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agent.core.errors import SlipwayError

# Words of letters, digits and . _ + ~ : - between slashes, none of which starts with a dot.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~:-]*(/[A-Za-z0-9][A-Za-z0-9._+~:-]*)*")
# What tar unpacks on a node.
SUFFIXES = (".tar.xz", ".tar.zst", ".tar.gz", ".tar")
ARCHITECTURE = "amd64"


class TemplateError(SlipwayError):
    """A template, or a source of templates, is not what it should be."""


@dataclass(frozen=True)
class Template:
    """One template of a source.

    names: all it goes by; the node keeps it under the first. location: an http or https address,
    or an absolute path. digests: of the file, in hexadecimal, by algorithm ("sha256", "sha512").
    size_bytes: None where the catalogue does not say. version: as the source writes it.
    """

    names: tuple[str, ...]
    location: str
    digests: tuple[tuple[str, str], ...]
    size_bytes: int | None = None
    version: str = ""

    @property
    def suffix(self) -> str:
        """How the file's name ends, of SUFFIXES."""
        return suffix_of(self.location)


def suffix_of(path: str) -> str:
    """The end of the path that is in SUFFIXES, else nothing."""
    return next((suffix for suffix in SUFFIXES if path.endswith(suffix)), "")


def check_name(name: str) -> None:
    """Raises TemplateError for a text that cannot be a template's name."""
    if not NAME.fullmatch(name) or len(name) > 200:
        raise TemplateError(
            f"this cannot be the name of a template: {name!r}",
            hint="names look like debian/13/amd64; see: slipway template list --available",
        )


def spellings(name: str) -> tuple[str, ...]:
    """The name, and the same with the architecture that it may leave out. Raises TemplateError."""
    check_name(name)
    return (name, f"{name}/{ARCHITECTURE}")


def find(templates: Iterable[Template], name: str) -> Template | None:
    """The template of that name; its architecture may be left out. Raises TemplateError."""
    by_name = {known: template for template in templates for known in reversed(template.names)}
    return next((by_name[wanted] for wanted in spellings(name) if wanted in by_name), None)
