"""TODO_DOC design."""
