"""How answers change: their structure, the comparison of two, and where a value may have gone."""
