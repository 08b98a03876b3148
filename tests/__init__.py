"""The tests, in folders named as the packages that they test, and what they share."""
