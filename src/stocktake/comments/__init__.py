"""What people wrote in their own words: screened for what would give somebody away, counted by theme, quoted once approved."""
