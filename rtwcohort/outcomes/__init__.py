"""TODO_DOC outcomes."""
