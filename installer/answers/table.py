"""What all tables of the answer file have in common, and the value types that they share.

Sizes in GiB are floats as in the Proxmox format; every number has a range.
"""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

# Linux addresses block devices with 63 bits of bytes: 2^63 bytes are 2^33 GiB.
MAX_GIB = 2.0**33


def kebab_case(name: str) -> str:
    """The key of a Python attribute: disk_list -> disk-list, global_ -> global."""
    return name.rstrip("_").replace("_", "-")


class Table(BaseModel):
    """A table of the answer file: immutable, unknown keys are errors, keys are in kebab-case.

    The Python names are accepted as keys too: they are the older snake_case spellings, about
    which the loader warns.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=kebab_case,
        populate_by_name=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )


def refuse(allowed: str) -> PydanticCustomError:
    """The error of a value that cannot be: `allowed` says what can, a noun phrase."""
    return PydanticCustomError("refused", "{allowed}", {"allowed": allowed})


def conflict(message: str) -> PydanticCustomError:
    """The error of values that are fine each by itself and do not go together."""
    return PydanticCustomError("conflict", "{message}", {"message": message})


class OneOrMany:
    """Marks a tuple field whose only item may be given without the list around it."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_listed, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


def _listed(value: Any) -> Any:
    # A tuple even for a list: strict validation takes nothing else after a Python function.
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def _fingerprint(value: str) -> str:
    digits = value.replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise refuse('a SHA-256 fingerprint: 64 hexadecimal digits, or "AA:BB:…"')
    return digits


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#]+[^\s]*", value) or not _has_host(value):
        raise refuse("an address that starts with http:// or https://")
    return value


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _line(value: str) -> str:
    if not value.isprintable():
        raise refuse("one line of printable text")
    return value


Line = Annotated[str, Field(min_length=1), AfterValidator(_line)]
Lines = Annotated[tuple[Line, ...], Field(min_length=1), OneOrMany()]
Gibibytes = Annotated[float, Field(gt=0, le=MAX_GIB)]
GibibytesOrNone = Annotated[float, Field(ge=0, le=MAX_GIB)]
Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
WebAddress = Annotated[str, AfterValidator(_url)]
# Names of pools, storages and users end up in file names, units and LVM or ZFS names.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]
