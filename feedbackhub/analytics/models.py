"""Numbers are read from the other apps' rows; nothing is kept here."""
