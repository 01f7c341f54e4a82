"""The credentials of a pasted text become secrets when its step is saved, and not before: for the host of the step and
no other, where an admin saves it and that was ticked."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from flask import request
from msgspec import Struct
from msgspec.structs import replace

from httpstep.core.importing.credentials import Credential, credentials_of, with_values
from httpstep.core.inserting import secrethosts
from httpstep.core.inserting.secrethosts import Hosts
from httpstep.core.step.spec import RequestSpec, StepSpec
from httpstep.storage import catalogue
from httpstep.storage.tables import Secret
from httpstep.upkeep import installation
from httpstep.web.access import may
from httpstep.web.here import account_id, parts, secret_value


class StepWithSecrets(Struct, frozen=True):
    """The step with `{{secret.NAME}}` in the place of its credentials. `new`: those that no secret has yet. `said`: for
    whoever saved it."""

    spec: StepSpec
    new: tuple[Credential, ...] = ()
    host: str = ""
    said: tuple[str, ...] = ()

    def store(self) -> None:
        """Make the new ones secrets. The caller commits."""
        for one in self.new:
            installation.put_secret(parts().vault, account_id(), one.name, one.value, time.time(), hosts=(self.host,))


def may_keep(spec: RequestSpec) -> str:
    """The host that the credentials of this request may be kept for; "" where they are not kept."""
    wanted = request.form.get("keep_secrets") == "1" and may("admin")
    return (secrethosts.literal_origin(spec.url) or "") if wanted else ""


def with_secrets(spec: StepSpec) -> StepWithSecrets:
    """What Save makes of the form's step: as it is, unless it was filled from a pasted text."""
    found = credentials_of(spec.request) if request.form.get("pasted") == "1" else ()
    host = may_keep(spec.request) if found else ""
    if not host:
        return StepWithSecrets(spec)
    named, new, stored = _as_kept(found)
    known = {one.name: secrethosts.load(stored[one.name].hosts) for one in named if one not in new}
    written = with_values(spec.request, {one.value: f"{{{{secret.{one.name}}}}}" for one in named})
    said = tuple(_said_of([one.name for one in new], known, host))
    return StepWithSecrets(replace(spec, request=written), tuple(new), host, said)


def names_of(found: Sequence[Credential]) -> tuple[list[str], list[str]]:
    """(the names that a save makes secrets of, those that are secrets already)."""
    named, new, _ = _as_kept(found)
    made = [one.name for one in new]
    return made, [one.name for one in named if one.name not in made]


def _as_kept(found: Sequence[Credential]) -> tuple[list[Credential], list[Credential], dict[str, Secret]]:
    """What `_named` says of the account's secrets, and those."""
    stored = catalogue.stored_secrets(account_id())
    return *_named(found, {name: secret_value(name, one.token) for name, one in stored.items()}), stored


def _said_of(new: list[str], known: dict[str, Hosts], host: str) -> Iterator[str]:
    """A list that is there already is not made longer by a command: that asks for the value again."""
    if new:
        yield f"Stored under Secrets: {', '.join(new)}. It may be sent to {host}."
    if known:
        yield f"It uses your {'secret' if len(known) == 1 else 'secrets'} {', '.join(known)}."
    if elsewhere := [name for name, hosts in known.items() if not secrethosts.may_be_sent(hosts, host)]:
        yield f"May not be sent to {host} yet: {', '.join(elsewhere)}. Add the host under Secrets."


def _named(found: Sequence[Credential], known: dict[str, str]) -> tuple[list[Credential], list[Credential]]:
    """(all with the names they are kept under, those of them that are new): a value that is kept already stays one."""
    names = {value: name for name, value in known.items()}
    used = set(known)
    kept_, new = [], []
    for one in found:
        if one.value not in names:
            name, number = one.name, 2
            while name in used:
                name, number = f"{one.name}_{number}", number + 1
            names[one.value] = name
            used.add(name)
            new.append(replace(one, name=name))
        kept_.append(replace(one, name=names[one.value]))
    return kept_, new
