"""Alert mails: who is told, when, and by which mail server."""
