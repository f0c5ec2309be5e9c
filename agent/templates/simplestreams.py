"""Simplestreams, as linuxcontainers.org and other image servers publish it.

streams/v1/index.json names lists of products; each product has versions, and each version files
with SHA-256 and size. Nothing is signed: TLS vouches for the lists, and they for the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.templates.catalogue import Template, TemplateError, suffix_of

INDEX = "streams/v1/index.json"
DATA_TYPE = "image-downloads"
# A root file system as an archive; others are squashfs images, disks of machines, and deltas.
ROOT = "root.tar"


class Model(BaseModel):
    """Part of a document that has more than is used here."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class IndexEntry(Model):
    """One list of products; path is below the server's address."""

    path: str
    datatype: str = ""


class Index(Model):
    """streams/v1/index.json."""

    index: dict[str, IndexEntry]


class Item(Model):
    """One file of a version; path is below the server's address."""

    ftype: str = ""
    path: str = ""
    size: int | None = Field(None, ge=0)
    sha256: str = ""


class Version(Model):
    """The files of one version, by names that carry no meaning."""

    items: dict[str, Item]


class Product(Model):
    """One distribution, release, architecture and variant; versions by their time."""

    os: str
    release: str
    arch: str
    variant: str = "default"
    aliases: str = ""
    versions: dict[str, Version]


class Products(Model):
    """streams/v1/images.json."""

    products: dict[str, Product]


def product_lists(document: bytes, where: str) -> tuple[str, ...]:
    """Paths of the lists of images that the index names. Raises TemplateError."""
    try:
        index = Index.model_validate_json(document).index
    except ValidationError as error:
        raise _not_valid(error, where) from error
    return tuple(entry.path for entry in index.values() if entry.datatype == DATA_TYPE)


def templates(document: bytes, base: str, where: str) -> tuple[Template, ...]:
    """The newest version of each product that has a root archive. Raises TemplateError.

    base: the server's address, which paths are relative to.
    """
    try:
        products = Products.model_validate_json(document).products
    except ValidationError as error:
        raise _not_valid(error, where) from error
    return tuple(
        template for product in products.values() for template in _newest(product, base.rstrip("/"))
    )


def _newest(product: Product, base: str) -> Iterator[Template]:
    for version in sorted(product.versions, reverse=True):
        items = product.versions[version].items.values()
        for item in sorted(items, key=lambda item: item.ftype):
            if item.ftype.startswith(ROOT) and item.sha256 and suffix_of(item.path):
                yield Template(
                    names=_names(product),
                    location=f"{base}/{quote(item.path.lstrip('/'), safe='/:')}",
                    digests=(("sha256", item.sha256),),
                    size_bytes=item.size,
                    version=version,
                )
                return


def _names(product: Product) -> tuple[str, ...]:
    """Shortest first: "debian/13/amd64" and not "debian/13/default/amd64"."""
    aliases = [alias.strip() for alias in product.aliases.split(",") if alias.strip()]
    own = f"{product.os.lower()}/{product.release}"
    aliases.append(own if product.variant == "default" else f"{own}/{product.variant}")
    return tuple(sorted({f"{alias}/{product.arch}" for alias in aliases}, key=_shortest))


def _shortest(name: str) -> tuple[int, str]:
    return len(name), name


def _not_valid(error: ValidationError, where: str) -> TemplateError:
    return TemplateError(f"this is no simplestreams index: {error.errors()[0]['msg']}", where=where)
