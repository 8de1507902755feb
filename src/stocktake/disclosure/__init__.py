"""Statistical disclosure control: what editions may print, what could be worked out from it, and what is withheld for that."""
