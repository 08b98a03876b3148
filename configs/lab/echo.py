"""The quickstart on echo images: distant cells of an image show the same few flat colours.

The sample grids should show three colours an image; `echo/agreement` should reach 0.97.
"""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.data.name = "echo"
    config.data.echo.dims = 3
    return config
