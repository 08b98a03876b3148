"""The two players: generator and critic."""
