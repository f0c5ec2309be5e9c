"""The answer file as a whole: the one schema that validates, completes and documents it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic.json_schema import GenerateJsonSchema

from installer.answers.cluster import Cluster, Stack
from installer.answers.disks import DiskSetup
from installer.answers.hooks import FirstBoot, PostInstallationWebhook, Webhook
from installer.answers.network import Network
from installer.answers.sign_in import SignIn
from installer.answers.storages import AnyStorage
from installer.answers.system import Global, System, User
from installer.answers.table import Table, conflict
from installer.answers.templates import Templates


class Answer(Table):
    """An answer file: everything that an installation has to know."""

    global_: Global = Field(description="Who the node is, and how root logs in")
    network: Network = Field(description="The node's network")
    disk_setup: DiskSetup = Field(description="Which disks carry the node, and how")
    first_boot: FirstBoot | None = Field(
        None, description="A program that the node runs once, at its first boot"
    )
    post_installation_webhook: PostInstallationWebhook | None = Field(
        None, description="A POST that reports a finished installation"
    )
    webhook: Webhook | None = Field(
        None, description="POSTs when the installation starts, has succeeded, or has failed"
    )
    wipe: Literal["none", "selected"] = Field(
        "none",
        description="Whether data on the selected disks may be destroyed. `none` refuses a disk "
        "that carries any",
    )
    system: System = Field(System(), description="How the node is set up")
    users: tuple[User, ...] = Field((), description="Accounts beside root")
    sign_in: SignIn = Field(SignIn(), description="A directory of people, and a second factor")
    cluster: Cluster = Field(Cluster(), description="What the node does about a cluster")
    stack: Stack = Field(Stack(), description="The software of the node")
    templates: Templates = Field(Templates(), description="Templates fetched at the first boot")
    storage: tuple[AnyStorage, ...] = Field((), description="Storage beside the node's own disks")

    @model_validator(mode="after")
    def _check_names(self) -> Answer:
        for what, names in {
            "users": [user.name for user in self.users],
            "storage": [storage.name for storage in self.storage],
        }.items():
            if len(set(names)) != len(names):
                raise conflict(f"two {what} tables have the same name")
        return self


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the answer file, for editors and other programs."""
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        **Answer.model_json_schema(by_alias=True, mode="validation"),
        "title": "Slipway answer file",
    }
