"""The entry of a checkout: `python app.py` and `flask --app app`. What they start is httpstep/application.py."""

from __future__ import annotations

import sys

from httpstep.quickstart import importing

with importing():
    from httpstep.application import assemble_or_exit as create_app
    from httpstep.application import main

__all__ = ["create_app"]

if __name__ == "__main__":
    main(sys.argv[1:])
