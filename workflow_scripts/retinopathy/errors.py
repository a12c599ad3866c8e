"""The one shape of an error that a person is meant to read."""


class Explained(ValueError):
    """Something a person can put right: what is wrong, what was expected and received, a hint."""

    def __init__(self, problem: str, *, expected: object, received: object, hint: str) -> None:
        """Compose the message.

        Args:
            problem: One clause that names what is wrong, and where.
            expected: What would have been right: a value, a type, a range.
            received: What was there instead.
            hint: What to do about it.
        """
        self.problem = problem
        super().__init__(
            f"{problem}\n  expected: {expected}\n  received: {received}\n  hint: {hint}"
        )
