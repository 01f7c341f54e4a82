"""The pages around steps: signing in, account, users, keys, secrets, attributes, mail, about."""
