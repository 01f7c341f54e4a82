"""The entry of a checkout: `python app.py` and `flask --app app`. What they start is httpstep/application.py."""

from __future__ import annotations

import gc
import sys

gc.disable()  # of what imports make nothing is garbage, and looking for it then or later takes a third of the start
try:
    from httpstep.application import assemble_or_exit as create_app
    from httpstep.application import main
finally:
    gc.freeze()
    gc.enable()

__all__ = ["create_app"]

if __name__ == "__main__":
    main(sys.argv[1:])
