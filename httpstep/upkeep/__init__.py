"""What is done to an installation as a whole: making and upgrading it, backups, new keys, the end of an account."""
