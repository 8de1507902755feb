"""The web edition: a static site that asks nothing of any other server."""
