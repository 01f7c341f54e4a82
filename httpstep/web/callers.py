"""The caller's connection."""

from __future__ import annotations

from flask import Request


def hangup(request: Request) -> int | None:
    """Descriptor of the caller's socket, where the server tells it: a caller that goes away cancels its call."""
    peer = request.environ.get("gunicorn.socket")
    return None if peer is None else int(peer.fileno())
