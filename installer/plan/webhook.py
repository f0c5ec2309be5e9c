"""What the node's agent needs to tell the [webhook] how it comes up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pydantic import SecretStr

from agent import config
from installer.answers.hooks import Webhook
from installer.plan.model import WriteSecret

NAME = "webhook"


def webhook_secret(hook: Webhook | None) -> Mapping[str, SecretStr]:
    """The text of the secret file, by the name that its WriteSecret action uses."""
    if hook is None:
        return {}
    token = hook.token.get_secret_value() if hook.token else ""
    target = {"url": hook.url, "fingerprint": hook.cert_fingerprint or "", "token": token}
    return {NAME: SecretStr(json.dumps(target))}


def webhook_file(hook: Webhook | None) -> Iterator[WriteSecret]:
    """The action that puts it where the agent finds it."""
    if hook:
        yield WriteSecret(path=str(config.WEBHOOK), secret=NAME)
