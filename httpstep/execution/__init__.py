"""Running steps and flows, for Test and for bots: budget, line, record, stored answers. Every execution goes through `runs`."""
