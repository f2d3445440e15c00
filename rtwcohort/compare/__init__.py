"""TODO_DOC compare."""
