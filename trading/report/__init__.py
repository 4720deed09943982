"""What a run did, told: figures with intervals, a page, a table, JSON, and runs side by side."""

from trading.report.figures import Figures, Terms
from trading.report.measuring import measure
from trading.report.writing import PAGE, summary, write

__all__ = ["PAGE", "Figures", "Terms", "measure", "summary", "write"]
