"""One survey, from answers to estimates."""
