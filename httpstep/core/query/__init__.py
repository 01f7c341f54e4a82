"""JSONPath (RFC 9535): queries read, checked and asked of an answer, normalized paths, and what people are told of them."""
