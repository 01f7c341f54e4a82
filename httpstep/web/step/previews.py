"""Preview request: the form as the request that would go out with the values for test. No call is made."""

from __future__ import annotations

from httpstep.core import jsontext
from httpstep.core.errors import InvalidRequest
from httpstep.core.exchange import RenderedRequest
from httpstep.core.inserting import secrethosts
from httpstep.core.masking import redaction
from httpstep.core.request import rendering
from httpstep.core.step.spec import StepSpec
from httpstep.storage import catalogue
from httpstep.web import stepform
from httpstep.web.editor.editor import Editor, Preview
from httpstep.web.editor.entries import advice_in_editor
from httpstep.web.here import account_id, secret_value
from httpstep.web.moves import Done

_STAND_IN = "value-of-the-secret"
"""Stands for a secret while a preview is rendered, and is masked in it: a preview reads no secret but those that say
which host is called, because it is judged on that."""


def preview_request(editor: Editor, _: str) -> Done | None:
    spec = stepform.parse(editor.form, draft=True)
    if spec is None:
        editor.preview = Preview(fault="The form is not right yet. The places are marked.")
        return Done(422)
    try:
        sent = _rendered(spec, editor)
    except InvalidRequest as error:
        editor.preview = Preview(fault=f"{error.message} {advice_in_editor(error.reason, error.advice)}".strip())
        return None
    body = redaction.redact_bytes(sent.body or b"", sent.secrets).decode("utf-8", "replace")
    url = redaction.redact(sent.url, sent.secrets)
    headers = redaction.redact_pairs(sent.headers, sent.secrets)
    editor.preview = Preview(f"{sent.method} {url}", headers, body, sent.warnings, sent.filled_empty)
    return None


def values_lacking(editor: Editor, spec: StepSpec) -> tuple[str, ...]:
    """The values for test that are empty, where a call cannot be built without one of them."""
    typed = editor.form.values
    if all(typed.get(name, "").strip() for name in editor.attributes_used):
        return ()  # as nearly always, and without asking for any default
    defaults = editor.sources.names.defaults
    empty = tuple(one.name for one in editor.values if not one.typed.strip() and one.name not in defaults)
    if not empty:
        return ()
    try:
        _rendered(spec, editor)
    except InvalidRequest as error:
        return empty if error.reason == "missing_attribute" else ()
    return ()


def _rendered(spec: StepSpec, editor: Editor) -> RenderedRequest:
    """The request as a test would send it; that for an access token is made too, and refused alike. Raises InvalidRequest."""
    stored = catalogue.stored_secrets(account_id())
    secrets = dict.fromkeys(stored, _STAND_IN)
    for name in rendering.secrets_in_address(spec):
        if name in stored:
            secrets[name] = secret_value(name, stored[name].token)
    hosts = {name: secrethosts.load(secret.hosts) for name, secret in stored.items()}
    defaults = {name: jsontext.read_back(text) for name, text in editor.sources.names.defaults.items()}
    auth = spec.request.auth
    if auth.type == "oauth2_client_credentials":
        rendering.token_request(auth, editor.given, secrets=secrets, hosts=hosts, defaults=defaults)
    return rendering.render(spec, editor.given, secrets=secrets, hosts=hosts, defaults=defaults)
