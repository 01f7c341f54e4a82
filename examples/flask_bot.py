"""A webhook bot and httpstep in one process. docs/embedding.md says how to start it and what happens here."""

from __future__ import annotations

import os
import re
from typing import Any

import requests
from flask import Flask, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from httpstep import create_app

ADDRESS = os.environ.get("BOT_ADDRESS", "http://127.0.0.1:5000")
STEP = f"{ADDRESS}/steps/api/v1/steps/order-status/execute"

app = Flask(__name__)
steps = create_app(data="steps-data", base_url=f"{ADDRESS}/steps")
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/steps": steps})  # type: ignore[method-assign]


@app.post("/webhook")
def webhook() -> dict[str, Any]:
    """{"text": "where is order 1001?"} -> {"reply": "Your order is shipped."}"""
    number = re.search(r"\d+", str((request.get_json() or {}).get("text")))
    if number is None:
        return {"reply": "Which order? Send me its number."}
    answer = requests.post(
        STEP, json={"attributes": {"order.id": number[0]}}, timeout=65,
        headers={"Authorization": f"Bearer {os.environ.get('HTTPSTEP_KEY', '')}"},
    )  # fmt: skip
    if answer.json().get("next") != "continue":
        return {"reply": "I cannot look that up just now."}
    return {"reply": f"Your order is {answer.json()['attributes'].get('status', 'on its way')}."}


if __name__ == "__main__":
    app.run(port=int(ADDRESS.rpartition(":")[2]), threaded=True)
