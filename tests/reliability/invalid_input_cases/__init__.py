"""Invalid inputs, as flags of the program, which must reject each with one line and exit code 1.

`{dir}` in a flag stands for a temporary directory, in which a case prepares files.
"""

from tests.reliability.invalid_input_cases.checkpoints import CHECKPOINTS
from tests.reliability.invalid_input_cases.command_line import COMMAND_LINE
from tests.reliability.invalid_input_cases.data import DATA
from tests.reliability.invalid_input_cases.fields import FIELDS
from tests.reliability.invalid_input_cases.folders import FOLDERS
from tests.reliability.invalid_input_cases.image_folders import IMAGE_FOLDERS
from tests.reliability.invalid_input_cases.image_sets import IMAGE_SETS
from tests.reliability.invalid_input_cases.laboratory import LABORATORY
from tests.reliability.invalid_input_cases.npz import NPZ
from tests.reliability.invalid_input_cases.places import PLACES
from tests.reliability.invalid_input_cases.runs import RUNS
from tests.reliability.invalid_input_cases.workdirs import WORKDIRS

SECTIONS = {
    "Command line": COMMAND_LINE,
    "Fields": FIELDS,
    "Laboratory": LABORATORY,
    "Places and devices": PLACES,
    "Data": (*DATA, *IMAGE_SETS, *NPZ, *IMAGE_FOLDERS),
    "Folders of images": FOLDERS,
    "Checkpoints and weights": CHECKPOINTS,
    "Links and special files in a workdir": WORKDIRS,
    "Files of a run": RUNS,
}
