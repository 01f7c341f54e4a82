"""What came of an execution: the decision, the masked record, what a mail may say of it."""
