"""multipart/form-data (RFC 7578) with text parts, byte for byte as browsers write it (HTML, 4.10.22.8).

Only the ends of lines stay as they came, as curl -F leaves them. Files are not there yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from httpstep.core.inserting.encoders import encodable

_ESCAPES: Final = str.maketrans({"\r": "%0D", "\n": "%0A", '"': "%22"})


def multipart(rows: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """(the body, its content type). The boundary is made of the parts, so that a preview shows what is sent; no part
    can hold its own hash."""
    parts = [_part(encodable(name), encodable(value)) for name, value in rows]
    boundary = "----httpstep" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
    return body, f"multipart/form-data; boundary={boundary}"


def _part(name: str, value: str) -> str:
    return f'Content-Disposition: form-data; name="{name.translate(_ESCAPES)}"\r\n\r\n{value}'
