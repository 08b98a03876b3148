"""Multi-process training: the program in several processes over the loopback interface."""

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
from tests.training.test_loop import log_entries

# Two processes sum float32 gradients in a different order than one: the log entries of 4 iterations
# differ by up to 5e-4 in practice.
TOLERANCE = 3e-3


def comparable(entry: dict[str, float]) -> dict[str, float]:
    return {
        name: value
        for name, value in entry.items()
        if name not in ("iterations_per_second", "peak_memory_gib")
        and not name.startswith("score/")
    }


def parameters(state: State) -> np.ndarray:
    """Concatenate all parameters, to compare them as a whole.

    One by one would fail: a bias before batch normalisation has no effect and follows rounding.
    """
    networks = (state.generator.params, state.critic.params)
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(networks)])


def assert_close(actual: list[dict[str, float]], expected: list[dict[str, float]]) -> None:
    for a, b in zip(actual, expected, strict=True):
        assert comparable(a).keys() == comparable(b).keys()
        for name in comparable(a):
            assert a[name] == pytest.approx(b[name], rel=TOLERANCE, abs=TOLERANCE), name


def test_two_processes_resumed_in_one_match_a_single_process(
    program: ExperimentProgram,
    tiny: Tiny,
) -> None:
    def config(
        num_iterations: int, eval_every: int | None, placement: str = "device"
    ) -> Experiment:
        return tiny(
            data__placement=placement,
            operator="edge_conv",
            num_iterations=num_iterations,
            checkpoint_every=1,
            eval_every=eval_every,
            eval__network="structure",
        )

    for process_id, process in enumerate(program.run_two(config(2, 2, "host"))):
        code, out, err = ended(process)
        assert (code, err) == (0, "")
        assert ("iterations/s" in out) == (process_id == 0)
    distributed, single = program.directory / "run", program.directory / "single"
    assert not (program.directory / "second").exists()
    assert [entry["step"] for entry in log_entries(distributed)] == [1, 2]
    assert {record.step for record in read_records(distributed / "scores.jsonl")} == {2}

    device = jax.devices()[:1]
    resumed, uninterrupted = (
        train(config(4, eval_every=None), workdir, devices=device)
        for workdir in (distributed, single)
    )
    assert [entry["step"] for entry in log_entries(distributed)] == [1, 2, 4]
    assert_close(log_entries(distributed), log_entries(single))
    assert difference(parameters(uninterrupted), parameters(resumed)) < TOLERANCE


@pytest.mark.slow
def test_killed_process_ends_the_other(program: ExperimentProgram, tiny: Tiny) -> None:
    endless = tiny(operator="edge_conv", num_iterations=10**6, log_every=1)
    first, second = program.run_two(endless)
    assert first.stdout is not None
    while "iterations/s" not in first.stdout.readline():
        assert first.poll() is None
    second.send_signal(signal.SIGKILL)
    code, _, err = ended(first)
    assert code == 1
    assert err.startswith(
        "gcgan_jax: process 0 of 2 stopped because another process ended or failed"
    )
    assert err.count("\n") == 1


def test_both_processes_report_mismatches(program: ExperimentProgram, tiny: Tiny) -> None:
    def assert_reported(processes: list[subprocess.Popen[str]], message: str) -> None:
        for process in processes:
            code, out, err = ended(process)
            assert (code, out) == (1, "")
            assert err.startswith("gcgan_jax: ") and err.count("\n") == 1
            assert message in err

    assert_reported(program.run_two(tiny(batch_size=3)), "3 is not divisible by the 2 devices")
    uneven = program.run_two(tiny(batch_size=6), devices=(2, 1))
    assert_reported(uneven, "process 0 has 2, process 1 has 1")
    assert_reported(program.run_two(tiny(), tiny(seed=2)), "the config of process 1 differs from")
    write_settings(program.directory / "run", tiny(seed=3).settings)
    assert_reported(program.run_two(tiny()), "different config: seed (3 stored, 0 given)")


def test_missing_process_is_reported(program: ExperimentProgram, tiny: Tiny) -> None:
    coordinator = f"--coordinator=127.0.0.1:{free_port()}"
    flags = [coordinator, "--num_processes=2", "--connect_timeout=2"]
    first = program.run(tiny(), *flags, "--process_id=0")
    code, out, err = ended(first)
    assert (code, out) == (1, "")
    assert err == (
        f"gcgan_jax: not all 2 processes connected to {coordinator} within 2 s: "
        "start each of them, or raise --connect_timeout\n"
    )


def test_port_in_use_is_reported(program: ExperimentProgram, tiny: Tiny) -> None:
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        coordinator = f"--coordinator=127.0.0.1:{other.getsockname()[1]}"
        first = program.run(tiny(), coordinator, "--num_processes=2", "--process_id=0")
        code, out, err = ended(first)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"gcgan_jax: {coordinator}: process 0 cannot listen there (")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--num_processes=2"], "--coordinator and --process_id missing"),
        (["--coordinator=h:1", "--process_id=0"], "--num_processes missing"),
        (["--coordinator=h", "--process_id=0", "--num_processes=1"], "expected HOST:PORT"),
        (["--coordinator=h:1", "--process_id=2", "--num_processes=2"], "choose 0 to 1"),
        (["--distributed", "--process_id=0"], "leave these out"),
        (["--distributed"], "cannot connect to the other processes"),
    ],
)
def test_missing_or_conflicting_cluster_flags(
    program: ExperimentProgram, tiny: Tiny, flags: list[str], message: str
) -> None:
    code, out, err = ended(program.run(tiny(), *flags))
    assert (code, out) == (1, "")
    assert err.startswith("gcgan_jax: ") and err.count("\n") == 1
    assert message in err
