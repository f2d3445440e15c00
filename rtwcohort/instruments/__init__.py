"""TODO_DOC instruments."""
