"""Organisations against each other: pure functions over Estimates, which know neither surveys nor audits."""
