"""The contract as data: the OpenAPI document that is served, with the schemas of what is sent and what comes back. It describes what `web/api` does and does nothing itself."""
