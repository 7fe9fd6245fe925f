"""The pages of what was promised of consultations and what was kept, behind each door by its own permission."""
