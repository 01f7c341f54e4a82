"""The server: its processes, its worker, and what it may wait for slow clients. And the demo."""
