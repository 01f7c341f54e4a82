"""httpstep: HTTP API steps for a chatbot. `docs/architecture.md` shows the house."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from httpstep.application import create_app
    from httpstep.config import StartError

__version__ = "0.1.0"
__all__ = ["StartError", "create_app"]


def __getattr__(name: str) -> Any:
    """What a host imports, when it does: the rest of the package is imported without either."""
    if name == "create_app":
        from httpstep.application import create_app

        return create_app
    if name == "StartError":
        from httpstep.config import StartError

        return StartError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
