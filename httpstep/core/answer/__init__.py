"""From the bytes of an answer to attributes: reading, success, paths and queries, mapping, automatic rules."""
