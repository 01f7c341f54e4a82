"""What an action of rasa-sdk needs, for tests/web/test_recipes.py."""


class Action:
    def name(self) -> str:
        raise NotImplementedError
