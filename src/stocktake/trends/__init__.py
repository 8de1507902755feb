"""What people said over the years: series of several surveys, what compares with what, and pages of indicators."""

# The file that makes a folder one of trends.
FILE = "trends.yaml"
