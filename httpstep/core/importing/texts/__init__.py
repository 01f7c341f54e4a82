"""Foreign texts as values, within limits: JSON and YAML documents, their references and schemas, literals of JavaScript."""
