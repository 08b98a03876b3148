"""What a user can mend."""


class UserError(Exception):
    """One line that names the field, its value and the remedy; the program prints it and exits."""
