"""Who the people of a simulated register are."""

from rtwcohort.simulate.population.declaration import Arm, Clusters, Correlation, History, Margin, Population
from rtwcohort.simulate.population.people import People, covariate_names, draw_people, indicators
from rtwcohort.simulate.population.shapes import Shape, quantile

__all__ = [
    "Arm",
    "Clusters",
    "Correlation",
    "History",
    "Margin",
    "People",
    "Population",
    "Shape",
    "covariate_names",
    "draw_people",
    "indicators",
    "quantile",
]
