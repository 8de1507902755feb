"""What people said over the years: series of several surveys, what compares with what, and pages of indicators."""
