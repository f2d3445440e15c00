"""Sphinx configuration: `pip install -e ".[docs]" && sphinx-build docs docs/_build`."""

project = "rtwcohort"
copyright = "the rtwcohort developers"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
exclude_patterns = ["_build"]
nb_execution_mode = "off"
numpydoc_show_class_members = False
html_title = "rtwcohort"
