"""Numbers as people print them."""


def minus(text: str) -> str:
    """Return numbers in text with a minus that is no hyphen."""
    return text.replace("-", "−")


def decimals(value: float, digits: int) -> str:
    """Return a number to some decimals: `0.12`, `−0.12`; what rounds to 0 has no sign."""
    return minus(f"{round(value, digits) + 0.0:.{digits}f}")
