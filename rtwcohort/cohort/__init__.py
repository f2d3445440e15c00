"""TODO_DOC cohort."""
