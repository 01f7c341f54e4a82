"""What a bot of python-telegram-bot needs, for tests/web/test_recipes.py."""
