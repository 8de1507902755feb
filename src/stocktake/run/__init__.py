"""A folder's way from files to results and reports."""
