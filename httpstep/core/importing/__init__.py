"""Texts that people paste, to requests: commands, fetch, HTTP, Postman, OpenAPI; and a request as a command to copy."""
