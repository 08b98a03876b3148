"""The help, and the commands that a finished run suggests."""

import pytest

from gcgan_jax import cli, main


def test_help_lists_all_modes() -> None:
    lines = main.__doc__.splitlines()
    for mode in cli.MODES:
        assert [line for line in lines if line.startswith(f"    {mode} ")], mode
    assert "--config.seed=1" in main.__doc__ and max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--config=configs/ecc.py:16"], "--config=configs/ecc.py:16"),
        (["--config", "a.py", "--mode", "train", "--config.k=1"], "--config a.py --config.k=1"),
        (["--mode=train", "--workdir=my runs"], "'--workdir=my runs'"),
        (["--distributed", "--config=a.py"], "--config=a.py"),
        (["--coordinator=h:1", "--num_processes=2", "--process_id", "0", "--config=a.py"],
         "--config=a.py"),
    ],
)  # fmt: skip
def test_the_next_command_keeps_the_run(arguments: list[str], expected: str) -> None:
    command = cli.command(arguments, "sample")
    assert command == f"python -m gcgan_jax.main {expected} --mode=sample"
