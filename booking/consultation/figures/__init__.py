"""What was promised of consultations and what was kept, in figures that lead to the rows they count."""
