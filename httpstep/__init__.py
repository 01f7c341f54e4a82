"""httpstep: HTTP API steps for a chatbot. `docs/architecture.md` shows the house."""

__version__ = "0.1.0"
