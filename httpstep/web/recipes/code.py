"""The code of the platforms that run code (`platforms`). tests/web/test_examples.py runs each as it is.

«message» in a template is where the attributes stand: the first gets what the person wrote, the others their examples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from httpstep.core import jsontext
from httpstep.core.jsontext import Json
from httpstep.core.outcome.flat import plain_names

RASA: Final = """\
from httpstep_client import Client
from rasa_sdk import Action
from rasa_sdk.events import SlotSet

steps = Client("«base»", "«token»")


class RunStep(Action):
    def name(self):
        return "action_«action»"

    async def run(self, dispatcher, tracker, domain):
        answer = await steps.execute_async("«key»", «slots»)
        if not answer.goes_on:
            dispatcher.utter_message(text="I cannot do that just now.")
            return []
        return [SlotSet(name.replace(".", "_"), value) for name, value in answer.attributes.items()]
"""

BOTPRESS: Final = """\
const { data } = await axios.post("«address»", «workflow», {
  headers: { Authorization: "Bearer «token»" },
  timeout: 25_000,
  validateStatus: () => true,
}).catch(() => ({ data: {} }));
workflow.next = data?.next === "continue" ? "continue" : "stop";
if (workflow.next === "continue") {
«assignments»
}
"""

_REPLY: Final = """\
    if answer.goes_on:
        text = "\\n".join(f"{name}: {value}" for name, value in answer.attributes.items())
    else:
        text = "I cannot do that just now."
"""

CHATWOOT: Final = (
    """\
import threading

import requests
from flask import Flask, request
from httpstep_client import Client

CHATWOOT = "https://app.chatwoot.com"
steps = Client("«base»", "«token»")
app = Flask(__name__)


@app.post("/chatwoot")
def chatwoot():
    event = request.get_json()
    if event.get("event") == "message_created" and event.get("message_type") == "incoming":
        threading.Thread(target=reply, args=[event]).start()
    return ""


def reply(event):
    message = event["content"]
«note»    answer = steps.execute("«key»", «message», idempotency_key=f"chatwoot-{event['id']}")
"""
    + _REPLY
    + """\
    place = f"accounts/{event['account']['id']}/conversations/{event['conversation']['id']}/messages"
    requests.post(
        f"{CHATWOOT}/api/v1/{place}", json={"content": text}, headers={"api_access_token": "YOUR_BOT_TOKEN"}, timeout=10
    )
"""
)

WHATSAPP: Final = (
    """\
import hmac
import threading

import requests
from flask import Flask, abort, request
from httpstep_client import Client

GRAPH = "https://graph.facebook.com/v23.0"
steps = Client("«base»", "«token»")
app = Flask(__name__)


@app.get("/whatsapp")
def subscribe():
    if request.args.get("hub.verify_token") != "YOUR_VERIFY_TOKEN":
        abort(403)
    return request.args["hub.challenge"]


@app.post("/whatsapp")
def whatsapp():
    signed = "sha256=" + hmac.new(b"YOUR_APP_SECRET", request.get_data(), "sha256").hexdigest()
    if not hmac.compare_digest(request.headers.get("X-Hub-Signature-256", "").encode(), signed.encode()):
        abort(403)
    for entry in request.get_json()["entry"]:
        for change in entry["changes"]:
            for sent in change["value"].get("messages", []):
                if sent["type"] == "text":
                    threading.Thread(target=reply, args=[change["value"], sent]).start()
    return ""


def reply(value, sent):
    message = sent["text"]["body"]
«note»    answer = steps.execute("«key»", «message», idempotency_key=sent["id"])
"""
    + _REPLY
    + """\
    requests.post(
        f"{GRAPH}/{value['metadata']['phone_number_id']}/messages",
        json={"messaging_product": "whatsapp", "to": sent["from"], "type": "text", "text": {"body": text}},
        headers={"Authorization": "Bearer YOUR_WHATSAPP_TOKEN"},
        timeout=10,
    )
"""
)

TELEGRAM: Final = (
    """\
from httpstep_client import Client
from telegram.ext import ApplicationBuilder, MessageHandler, filters

steps = Client("«base»", "«token»")


async def reply(update, context):
    message, once = update.message.text, f"telegram-{update.update_id}"
«note»    answer = await steps.execute_async("«key»", «message», idempotency_key=once)
"""
    + _REPLY
    + """\
    await update.message.reply_text(text)


bot = ApplicationBuilder().token("YOUR_BOT_TOKEN").concurrent_updates(True).build()
bot.add_handler(MessageHandler(filters.TEXT & ~filters.COMMAND, reply))
bot.run_polling()
"""
)


_NOTE: Final = "    # example values beside message: your bot sends its own\n"


def filled(
    code: str, *, base: str, address: str, key: str, token: str, seconds: int | None, attributes: Mapping[str, Json],
    gives: Sequence[str],
) -> str:  # fmt: skip
    """The code for one step. A base address and a key have no quotes in them; everything else is written as a literal."""
    plain = plain_names(attributes)
    slots = {name: f'tracker.get_slot("{plain[name]}")' for name in attributes}
    message = {name: "message" if not place else _python(attributes[name]) for place, name in enumerate(attributes)}
    workflow = ", ".join(f"{_text(name)}: workflow.{plain[name]}" for name in attributes)
    words = {
        "base": base, "address": address, "key": key, "token": token, "action": key.replace("-", "_"),
        "note": _NOTE if len(message) > 1 else "", "slots": _object(slots), "message": _object(message),
        "workflow": f"{{ attributes: {{ {workflow} }}, timeout: {seconds} }}",
        "assignments": "\n".join(f"  workflow.{name} = data.attributes.{name};" for name in gives) or "  // it gives nothing",
    }  # fmt: skip
    parts = code.split("«")
    return parts[0] + "".join(words[name] + rest for name, _, rest in (part.partition("»") for part in parts[1:]))


def _object(members: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{_text(name)}: {code}" for name, code in members.items()) + "}"


def _text(text: str) -> str:
    return jsontext.dumps_text(text)


def _python(value: Json) -> str:
    """A literal of Python; numbers with the digits they have."""
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_python, value)) + "]"
    if isinstance(value, dict):
        return _object({name: _python(item) for name, item in value.items()})
    return jsontext.dumps_text(value)
