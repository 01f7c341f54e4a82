"""What programs meet: execute, steps by API, the contract, /health."""
