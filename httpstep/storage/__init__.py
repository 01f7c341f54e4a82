"""Tables, and the queries that have a name. One module per thing that is kept."""
