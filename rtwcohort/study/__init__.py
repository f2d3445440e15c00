"""TODO_DOC study."""
