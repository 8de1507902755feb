"""What each document says, with no file format in it."""
