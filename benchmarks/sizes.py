"""What an installation takes on the disk, by kind of row, indexes included: `python -m benchmarks.sizes`.

A step as most are (an ordinary answer, a mapping of five values), and one whose answers are as large as a log keeps.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from tests.fakes import ThirdParty, answer
from tests.house import House, document

STEPS = 40
CALLS = 20
EDITS = 10
SMALL = {"order": {"id": 42, "status": "shipped", "total": "1.10", "to": "Anna", "at": "2031-05-10"}, "note": "x" * 200}
LARGE = {"rows": [{"id": number, "text": "x" * 80} for number in range(1000)]}


def furnish(house: House) -> None:
    house.limit(100_000)
    for number in range(STEPS):
        for edit in range(EDITS):
            house.put(
                document(f"step-{number}", headers=[{"name": f"X-{edit}", "value": "{{channel}}"}], timeout=edit + 1)
            )
        for call in range(CALLS):
            headers = {"Idempotency-Key": f"k{call}"}
            done = house.execute(f"step-{number}", {"order.id": call, "channel": "web"}, headers=headers)
            assert done.json["outcome"] == "success", done.json


def bytes_of(house: House) -> dict[str, tuple[int, int]]:
    """Rows and bytes of each table, with its indexes."""
    file = house.app.config["HTTPSTEP"].data / "httpstep.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("VACUUM")
        sizes = connection.execute(
            "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat AS s JOIN sqlite_master AS m ON m.name = s.name GROUP BY 1"
        ).fetchall()
        return {
            name: (int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]), int(size))
            for name, size in sizes
        }


def main() -> None:
    for what, content in (("ordinary answers", SMALL), ("large answers", LARGE)):
        with tempfile.TemporaryDirectory() as folder:
            house = House(Path(folder) / "data", ThirdParty(answer(200, content)))
            empty = bytes_of(house)
            furnish(house)
            sys.stdout.write(f"\n{what}: {STEPS} steps, {STEPS * CALLS} executions, each with an Idempotency-Key\n")
            for name, (rows, size) in sorted(bytes_of(house).items()):
                if more := rows - empty.get(name, (0, 0))[0]:
                    sys.stdout.write(
                        f"{name:24}{more:8} rows {(size - empty.get(name, (0, 0))[1]) / more:12,.0f} bytes each\n"
                    )


if __name__ == "__main__":
    main()
