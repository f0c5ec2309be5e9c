"""The declared storages: a file and, where one is needed, a secret in /etc/slipway/storages."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from agent.core.errors import SlipwayError
from agent.core.files import write_atomically
from agent.core.template import render
from agent.storages.model import Storage

FOLDER = Path("/etc/slipway/storages")
SECRET_MODE = 0o600
_ADAPTER: TypeAdapter[Storage] = TypeAdapter(Storage)


def path_of(name: str, folder: Path = FOLDER) -> Path:
    return folder / f"{name}.toml"


def secret_of(name: str, folder: Path = FOLDER) -> Path:
    """The file that holds nothing but the password or key. Only root may read it."""
    return folder / f"{name}.secret"


def load(folder: Path = FOLDER) -> dict[str, Storage]:
    """Every declared storage by its name. Raises SlipwayError for a file that is not valid."""
    return {path.stem: _read(path) for path in sorted(folder.glob("*.toml"))}


def _read(path: Path) -> Storage:
    try:
        return _ADAPTER.validate_python(tomllib.loads(path.read_text()))
    except (tomllib.TOMLDecodeError, ValidationError, UnicodeDecodeError) as error:
        raise SlipwayError(f"the storage is not valid: {error}", where=str(path)) from error


def text_of(storage: Storage) -> str:
    """What the storage's file says."""
    values = storage.model_dump(mode="json", exclude_none=True)
    return render("agent/etc/slipway/storages/storage.toml", storage=values)


def save(name: str, storage: Storage, secret: str, folder: Path = FOLDER) -> None:
    """Declare a storage. The secret comes first: a storage never lacks its own."""
    if secret:
        write_atomically(secret_of(name, folder), secret, mode=SECRET_MODE)
    write_atomically(path_of(name, folder), text_of(storage))


def forget(name: str, folder: Path = FOLDER) -> None:
    """Take back what `save` did."""
    path_of(name, folder).unlink(missing_ok=True)
    secret_of(name, folder).unlink(missing_ok=True)
