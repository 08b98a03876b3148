"""Several processes: the real program, started as often as needed, over the loopback interface."""

import signal
import socket
import subprocess

import jax
import numpy as np
import pytest

from gcgan_jax.evaluation.results import read_records
from gcgan_jax.experiment import Experiment
from gcgan_jax.gan.state import State
from gcgan_jax.storage.workdir import write_settings
from gcgan_jax.training.loop import train
from tests.conftest import Tiny
from tests.gan.test_step import difference
from tests.program import ExperimentProgram, ended, free_port
from tests.training.test_loop import rows

# Two processes add gradients up in another order than one, in float32: the rows of 4 iterations
# were seen to differ by 5e-4.
TOLERANCE = 3e-3


def numbers(row: dict[str, float]) -> dict[str, float]:
    return {
        name: value
        for name, value in row.items()
        if name != "iterations_per_second" and not name.startswith("score/")
    }


def parameters(state: State) -> np.ndarray:
    """All in one: a bias before a normalisation, which takes it out, follows rounding alone."""
    players = (state.generator.params, state.critic.params)
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(players)])


def assert_close(ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> None:
    for mine, other in zip(ours, theirs, strict=True):
        assert numbers(mine).keys() == numbers(other).keys()
        for name in numbers(mine):
            assert mine[name] == pytest.approx(other[name], rel=TOLERANCE, abs=TOLERANCE), name


def test_two_processes_stopped_and_gone_on_with_as_one(
    program: ExperimentProgram,
    tiny: Tiny,
) -> None:
    def config(num_iterations: int, eval_every: int | None) -> Experiment:
        return tiny(
            operator="edge_conv",
            num_iterations=num_iterations,
            checkpoint_every=1,
            eval_every=eval_every,
            eval__network="structure",
        )

    for process_id, process in enumerate(program.run_two(config(2, eval_every=2))):
        code, out, err = ended(process)
        assert (code, err) == (0, "")
        assert ("iterations/s" in out) == (process_id == 0)
    together, apart = program.directory / "run", program.directory / "apart"
    assert not (program.directory / "second").exists()
    assert [row["step"] for row in rows(together)] == [1, 2]
    assert [record.step for record in read_records(together / "scores.jsonl")] == [2, 2, 2]

    one = jax.devices()[:1]
    resumed, alone = (
        train(config(4, eval_every=None), place, devices=one) for place in (together, apart)
    )
    assert [row["step"] for row in rows(together)] == [1, 2, 4]
    assert_close(rows(together), rows(apart))
    assert difference(parameters(alone), parameters(resumed)) < TOLERANCE


def test_a_process_that_dies_ends_the_other(program: ExperimentProgram, tiny: Tiny) -> None:
    endless = tiny(operator="edge_conv", num_iterations=10**6, log_every=1)
    first, second = program.run_two(endless)
    assert first.stdout is not None
    while "iterations/s" not in first.stdout.readline():
        assert first.poll() is None
    second.send_signal(signal.SIGKILL)
    code, _, err = ended(first)
    assert code == 1
    assert err.startswith("gcgan_jax: process 0 of 2 stopped, as another has ended or failed")
    assert err.count("\n") == 1


def test_what_does_not_fit_is_told_by_both(program: ExperimentProgram, tiny: Tiny) -> None:
    def assert_told(processes: list[subprocess.Popen[str]], told: str) -> None:
        for process in processes:
            code, out, err = ended(process)
            assert (code, out) == (1, "")
            assert err.startswith("gcgan_jax: ") and err.count("\n") == 1
            assert told in err

    assert_told(program.run_two(tiny(batch_size=3)), "3 is not divisible by the 2 devices")
    uneven = program.run_two(tiny(batch_size=6), devices=(2, 1))
    assert_told(uneven, "process 0 has 2, process 1 has 1")
    assert_told(program.run_two(tiny(), tiny(seed=2)), "the config of process 1 is not that of")
    write_settings(program.directory / "run", tiny(seed=3).settings)
    assert_told(program.run_two(tiny()), "holds a run with another config: seed (3 there, 0 now)")


def test_a_missing_process_is_told(program: ExperimentProgram, tiny: Tiny) -> None:
    place = f"--coordinator=127.0.0.1:{free_port()}"
    flags = [place, "--num_processes=2", "--connect_timeout=2"]
    first = program.run(tiny(), *flags, "--process_id=0")
    code, out, err = ended(first)
    assert (code, out) == (1, "")
    assert err == (
        f"gcgan_jax: the 2 processes of {place} were not all there within 2 s: "
        "start each of them, or allow more time with --connect_timeout\n"
    )


def test_a_port_that_is_taken_is_told(program: ExperimentProgram, tiny: Tiny) -> None:
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        place = f"--coordinator=127.0.0.1:{other.getsockname()[1]}"
        first = program.run(tiny(), place, "--num_processes=2", "--process_id=0")
        code, out, err = ended(first)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"gcgan_jax: {place}: this process cannot listen there")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--num_processes=2"], "--coordinator and --process_id missing"),
        (["--coordinator=h:1", "--process_id=0"], "--num_processes missing"),
        (["--coordinator=h", "--process_id=0", "--num_processes=1"], "expected HOST:PORT"),
        (["--coordinator=h:1", "--process_id=2", "--num_processes=2"], "it is 0 to 1"),
        (["--distributed", "--process_id=0"], "omit these"),
        (["--distributed"], "cannot connect to the other processes"),
    ],
)
def test_flags_that_say_too_little_or_too_much(
    program: ExperimentProgram, tiny: Tiny, flags: list[str], told: str
) -> None:
    code, out, err = ended(program.run(tiny(), *flags))
    assert (code, out) == (1, "")
    assert err.startswith("gcgan_jax: ") and err.count("\n") == 1
    assert told in err
