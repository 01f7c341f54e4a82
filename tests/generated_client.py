"""Run by tests/test_generated_client.py with a client made of the contract: python generated_client.py ADDRESS TOKEN."""

import json
import sys

from client import AuthenticatedClient
from client.api.default import execute, get_step, list_steps, put_step, step_log, step_logs
from client.models import Execute, ExecuteAttributes

address, token = sys.argv[1:]
api = AuthenticatedClient(base_url=address, token=token)
copies = {}
for listed in list_steps.sync(client=api).steps:
    step = get_step.sync(listed.key, client=api)
    step.key = f"copy-of-{listed.key}"
    saved = put_step.sync(step.key, client=api, body=step)
    assert saved.to_dict() == step.to_dict(), (saved, step)
    copies[listed.key] = saved.key

answers = []
for _ in range(2):
    body = Execute(attributes=ExecuteAttributes.from_dict({"order.id": 42}), timeout=5)
    answer = execute.sync("order-status", client=api, body=body)
    answers.append([answer.outcome.value, answer.attributes.to_dict().get("a")])

logs = step_logs.sync("order-status", client=api).logs
whole = step_log.sync("order-status", int(logs[1].id), client=api)
assert whole.request.url == "https://api.example/orders/42"
assert json.loads(whole.response.body)["a"] == ["x"]
assert [row.attribute for row in whole.mapping] == ["a", "b", "c"]
problem = execute.sync("nothing", client=api, body=Execute())
sys.stdout.write(
    json.dumps(
        {
            "copies": copies,
            "answers": answers,
            "logs": [log.outcome for log in logs],
            "refused": [problem.status, problem.title],
        }
    )
)
