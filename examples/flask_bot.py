"""A webhook bot and httpstep in one process. docs/embedding.md says how to start it and what happens here."""

from __future__ import annotations

import os
import re
from typing import Any

from flask import Flask, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from httpstep import create_app
from httpstep_client import Client

ADDRESS = os.environ.get("BOT_ADDRESS", "http://127.0.0.1:5000")

app = Flask(__name__)
httpstep_app = create_app(data="steps-data", base_url=f"{ADDRESS}/steps")
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/steps": httpstep_app})  # type: ignore[method-assign]
steps = Client(f"{ADDRESS}/steps", os.environ["HTTPSTEP_KEY"])


@app.post("/webhook")
def webhook() -> dict[str, Any]:
    """{"text": "where is order 1001?"} -> {"reply": "Your order is shipped."}"""
    number = re.search(r"\d+", str((request.get_json() or {}).get("text")))
    if number is None:
        return {"reply": "Which order? Send me its number."}
    answer = steps.execute("order-status", {"order.id": number[0]})
    if not answer.goes_on:
        return {"reply": "I cannot look that up just now."}
    return {"reply": f"Your order is {answer.attributes.get('order.status', 'on its way')}."}


if __name__ == "__main__":
    app.run(port=int(ADDRESS.rpartition(":")[2]), threaded=True)
