"""TODO_DOC models."""
