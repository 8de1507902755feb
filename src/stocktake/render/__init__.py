"""Reports and results in the formats that readers use; a renderer computes no number."""
