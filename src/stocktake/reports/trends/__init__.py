"""Pages of trends as reports: one for each indicator and each question."""
