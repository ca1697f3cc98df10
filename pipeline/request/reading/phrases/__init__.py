"""What is asked for in phrases around a number or a name: regular expressions, by what they are about."""
