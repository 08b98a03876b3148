"""Invalid command lines and config files."""

from tests.reliability.invalid_input_cases.case import ECC, EVALUATE, FILE, Case, config_file

COMMAND_LINE = (
    Case("no config", ""),
    Case("config file that does not exist", "--config=configs/nowhere.py"),
    Case("directory as config file", "--config=configs"),
    Case("config file of bytes", FILE, config_file("\xff\1")),
    Case("config file that is not Python", FILE, config_file("def get_config(:\n")),
    Case("config file without get_config", FILE, config_file("a = 1\n")),
    Case("config file that fails", FILE, config_file("def get_config(): return 1 / 0\n")),
    Case("config file that imports a missing module", FILE, config_file("import nowhere\n")),
    Case("config file that returns a number", FILE, config_file("def get_config(): return 3\n")),
    Case("config file that returns nothing", FILE, config_file("def get_config(): pass\n")),
    Case(
        "config file that exits",
        FILE,
        config_file("import sys\ndef get_config(): sys.exit(0)\n"),
    ),
    Case(
        "config file that is interrupted",
        FILE,
        config_file("def get_config(): raise KeyboardInterrupt\n"),
    ),
    Case(
        "config file with an exception of its own",
        FILE,
        config_file("class Stop(BaseException): pass\nraise Stop('now')\n"),
    ),
    Case("config file that reads a missing file", FILE, config_file("open('/nowhere')\n")),
    Case(
        "config file that returns a frozen config",
        FILE,
        config_file(
            "from ml_collections import FrozenConfigDict\n"
            "def get_config(): return FrozenConfigDict(seed=1)\n"
        ),
    ),
    Case("argument of a config file that takes none", "--config=configs/baseline.py:3"),
    Case("argument that is not a number", f"{ECC}:many"),
    Case("unknown argument after k", f"{ECC}:8,fast"),
    Case("number with a sign as argument", f"{ECC}:+16"),
    Case("number with a leading zero as argument", f"{ECC}:016"),
    Case("number with an underscore as argument", f"{ECC}:1_6"),
    Case("number in Arabic digits as argument", f"{ECC}:\u0661\u0666"),
    Case("number after a space as argument", f"'{ECC}: 16'"),
    Case("comma after the last argument", f"{ECC}:16,"),
    Case("empty argument", f"{ECC}:"),
    Case("variant of a config file without variants", "--config=configs/edge_conv.py:16,constant"),
    Case("operator without its k", "--config=configs/large.py:ecc,"),
    Case("field before the config file", "--config.seed=1 --config=configs/ecc.py"),
    Case("misspelt flag", f"{ECC} --wrokdir=runs"),
    Case("argument that is not a flag", f"{ECC} train"),
    Case("unknown mode", f"{ECC} --mode=dance"),
    Case("images without scoring them", f"{ECC} --images=samples"),
    Case("scoring in several processes", f"{ECC} {EVALUATE} --distributed"),
    Case("one of the flags of several processes", f"{ECC} --num_processes=2"),
    Case("coordinator without a port", f"{ECC} --coordinator=h --process_id=0 --num_processes=1"),
    Case("process beyond the last", f"{ECC} --coordinator=h:1 --process_id=2 --num_processes=2"),
    Case(
        "number of processes with a sign",
        f"{ECC} --coordinator=h:1 --process_id=0 --num_processes=+2",
    ),
    Case("port in Arabic digits", f"{ECC} --coordinator=h:\u0661 --process_id=0 --num_processes=1"),
    Case("process below the first", f"{ECC} --process_id=-1"),
    Case("no time to connect", f"{ECC} --connect_timeout=0"),
)
