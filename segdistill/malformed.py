"""What Python raises over text that is not what it should be: JSON, and what is taken from it."""

MALFORMED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
