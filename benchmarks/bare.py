"""What `benchmarks.execute` compares with: a bare Flask route that makes the same call with a pooled requests session and
picks the same five values. `python -m benchmarks.bare PORT THIRD_PARTY_PORT [own]`: "own" serves it with our worker.

The settings of the server are those of `httpstep/serving/server.py`.
"""

from __future__ import annotations

import sys
from typing import Any

import requests
from flask import Flask, Response, jsonify, request
from gunicorn.app.base import BaseApplication
from requests.adapters import HTTPAdapter


def create_app(third_party: str) -> Flask:
    app, session = Flask("bare"), requests.Session()
    session.mount("http://", HTTPAdapter(pool_connections=10, pool_maxsize=200))

    @app.get("/health")
    def health() -> Response:
        return jsonify({"status": "ok"})

    @app.post("/api/v1/steps/<key>/execute")
    def execute(key: str) -> Response:
        given = request.get_json()["attributes"]
        path = {"wait": f"/{key.split('-')[0]}/wait"}.get(key.split("-")[-1], f"/{key.split('-')[0]}/orders")
        answer = session.post(
            third_party + path, timeout=60,
            headers={"X-Order": str(given["order.id"]), "X-User": given["user.name"]},
            json={"order": given["order.id"], "name": given["user.name"], "note": given["user.message"]},
        )  # fmt: skip
        order = answer.json()["data"]
        values = {
            "status": order["status"], "total": order["total"], "currency": order["currency"],
            "carrier": order["delivery"]["carrier"], "name": order["customer"]["name"],
        }  # fmt: skip
        return jsonify({"outcome": "success", "next": "continue", "attributes": values})

    return app


class Bare(BaseApplication):  # type: ignore[misc]
    def __init__(self, port: int, third_party: str, own: bool) -> None:
        self._port, self._third_party, self._own = port, third_party, own
        super().__init__()

    def load_config(self) -> None:
        values: dict[str, Any] = {
            "bind": f"127.0.0.1:{self._port}", "workers": 2, "threads": 64, "keepalive": 5, "timeout": 75,
            "worker_class": "gthread", "control_socket_disable": True, "accesslog": None,
        }  # fmt: skip
        if self._own:
            values |= {"worker_class": "httpstep.serving.worker.Worker", "pre_fork": self._before_fork}
        for name, value in values.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        app = create_app(self._third_party)
        if self._own:
            from httpstep.serving.clients import CheckedBodies

            app.wsgi_app = CheckedBodies(app.wsgi_app)  # type: ignore[method-assign]
        return app

    def _before_fork(self, _server: Any, worker: Any) -> None:
        worker.ended = []


if __name__ == "__main__":
    Bare(int(sys.argv[1]), f"http://127.0.0.1:{sys.argv[2]}", sys.argv[3:] == ["own"]).run()
