"""What was asked, as constraints with their place in the text; the data's contract; what was delivered."""
