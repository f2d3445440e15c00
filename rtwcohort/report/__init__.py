"""The only place that formats: numbers, disclosure control, tables, figures and the document."""

from rtwcohort.report.arm_table import arm_table, effect_table
from rtwcohort.report.baseline_table import table_one
from rtwcohort.report.cause_table import cause_table
from rtwcohort.report.curve_figure import curve_figure
from rtwcohort.report.curve_table import curve_table
from rtwcohort.report.disclosure import SMALL_CELLS, WITHHELD, withhold_groups, withhold_line, withhold_table
from rtwcohort.report.document import Bullets, Code, Document, KeyFigure, Note, Paragraph, Section
from rtwcohort.report.flow_figure import flow_figure
from rtwcohort.report.flow_table import flow_table
from rtwcohort.report.forest_figure import forest_figure, forest_rows
from rtwcohort.report.hazard_table import hazard_ratio_table
from rtwcohort.report.html import render_html
from rtwcohort.report.methods import MethodsFacts, methods_paragraph, methods_paragraphs
from rtwcohort.report.model_table import model_table, term_tests_table
from rtwcohort.report.probability_table import probability_table
from rtwcohort.report.register_tables import (
    check_table,
    cleaning_table,
    count_text,
    counted_sentences,
    inputs_table,
    provenance_table,
)
from rtwcohort.report.report_figure import ReportFigure
from rtwcohort.report.report_table import ReportTable
from rtwcohort.report.screening_tables import optimism_table, selection_table
from rtwcohort.report.status_figure import status_figure
from rtwcohort.report.status_table import status_table

__all__ = [
    "SMALL_CELLS",
    "WITHHELD",
    "Bullets",
    "Code",
    "Document",
    "KeyFigure",
    "MethodsFacts",
    "Note",
    "Paragraph",
    "ReportFigure",
    "ReportTable",
    "Section",
    "arm_table",
    "cause_table",
    "check_table",
    "cleaning_table",
    "count_text",
    "counted_sentences",
    "curve_figure",
    "curve_table",
    "effect_table",
    "flow_figure",
    "flow_table",
    "forest_figure",
    "forest_rows",
    "hazard_ratio_table",
    "inputs_table",
    "methods_paragraph",
    "methods_paragraphs",
    "model_table",
    "optimism_table",
    "probability_table",
    "provenance_table",
    "render_html",
    "selection_table",
    "status_figure",
    "status_table",
    "table_one",
    "term_tests_table",
    "withhold_groups",
    "withhold_line",
    "withhold_table",
]
