"""TODO_DOC simulate."""
