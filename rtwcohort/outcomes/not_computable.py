"""Published definitions that a benefit register cannot answer, each with the reason."""

from __future__ import annotations

from typing import Final, NamedTuple


class NotComputable(NamedTuple):
    """A published definition that no rule computes.

    Attributes
    ----------
    study, outcome
        As in the table of definitions.
    reason
        Why not, and what comes nearest.
    source_file
        The text that states it.
    """

    study: str
    outcome: str
    reason: str
    source_file: str


_SLIDES: Final = "000_58b2d767bfd1ca9e.txt"
_COMMENTARY: Final = "001_18dc6c53343ce8ae.txt"
_REVIEW: Final = "002_624198184f691417.txt"
_HERNES: Final = "003_459f364521a840a2.txt"
_SCOPING: Final = "004_37c79873871c2b3f.txt"

_SELF_REPORT: Final = "Self-reported, in the person's own words on a form."
_UNDEFINED: Final = "Not defined in the text: neither the benefits, nor the grade, nor how long."
_DAYS: Final = "A number of days, not a time to return: `absence_days` counts them."

NOT_COMPUTABLE: Final[tuple[NotComputable, ...]] = (
    NotComputable(
        "Hernes WPV cohort (Haugen et al.)",
        "rtw_status_ordinal",
        f"{_SELF_REPORT} `work_status` gives three levels from a register.",
        _HERNES,
    ),
    NotComputable("Hernes WPV cohort (Haugen et al.)", "rtw_any_12m", _SELF_REPORT, _HERNES),
    NotComputable("Øyeflaten 2008 (cited in 003)", "rtw_any_12m", _UNDEFINED, _HERNES),
    NotComputable("Hagen 2000", "rtw_1y", _UNDEFINED, _SLIDES),
    NotComputable("Indahl 1995", "rtw_200d", _UNDEFINED, _COMMENTARY),
    NotComputable("Haldorsen 2002", "rtw", _UNDEFINED, _SLIDES),
    NotComputable("Brekke 2017", "rtw_3y", _UNDEFINED, _COMMENTARY),
    NotComputable(
        "FHI 2021 review (inclusion criteria)", "rtw", "A criterion for including studies, not an outcome.", _REVIEW
    ),
    NotComputable(
        "FHI 2021 meta-analysis", "rtw_dichotomous", "Each pooled study brought its own definition.", _REVIEW
    ),
    NotComputable(
        "Bültmann 2009",
        "sick_hours; work_status",
        "Hours of absence, which benefit registers do not hold, and a work status that is not defined.",
        _REVIEW,
    ),
    NotComputable(
        "Dalgaard 2017",
        "time_to_sustained_rtw; sick_leave_status; sick_leave_duration",
        "How long a lasting return must last is not stated.",
        _REVIEW,
    ),
    NotComputable("Marhold 2001", "sick_days", _DAYS, _REVIEW),
    NotComputable("Martin 2013", "time_to_rtw; work_status", _UNDEFINED, _REVIEW),
    NotComputable("Meijer 2006", "rtw", _UNDEFINED, _REVIEW),
    NotComputable("Poulsen 2014", "rtw", _UNDEFINED, _REVIEW),
    NotComputable("Salomonsson 2017", "sick_days; sick_leave_status", f"{_DAYS} The status is not defined.", _REVIEW),
    NotComputable(
        "Thesis 004 (scoping review definition)",
        "work_participation",
        "A concept that joins absence, employment, presenteeism and work ability; not one outcome.",
        _SCOPING,
    ),
    NotComputable(
        "SSB labour force survey",
        "employed",
        "An hour of paid work in a reference week: asked in a survey, not in a benefit register.",
        _SCOPING,
    ),
    NotComputable(
        "Brekke 2017",
        "full_time_work; part_time_work; out_of_work; disability_pension",
        "The four states are not defined, and do not add up to all people.",
        _SCOPING,
    ),
    NotComputable("Farholm 2017", "rtw_percent", _SELF_REPORT, _SCOPING),
    NotComputable(
        "Hara 2018 (cohort)",
        "half_rtw; full_rtw",
        "The thresholds are not stated; hara_2018_half and hara_2018_full are those of the trial.",
        _SCOPING,
    ),
    NotComputable("Haugen 2016 (thesis)", "rtw_any_12m", _SELF_REPORT, _SCOPING),
    NotComputable("Øyeflaten 2016", "sickness_benefit_days", _DAYS, _SCOPING),
    NotComputable("Werner 2019", "sick_leave_status", f"{_SELF_REPORT} Not defined.", _SCOPING),
    NotComputable(
        "Øyeflaten 2007 (validation)",
        "work_status_agreement",
        "Agreement of self-report with a register; needs both.",
        _SCOPING,
    ),
)
"""In the order of the table of definitions."""
