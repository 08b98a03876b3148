"""Signals to the real program: it saves, says where, and ends with the signal's code."""

import os
import queue
import signal
import time
from pathlib import Path

import pytest

from gcgan_jax.experiment import Experiment
from gcgan_jax.runtime.preemption import stoppable
from tests.conftest import Tiny
from tests.program import ExperimentProgram, ended, reach
from tests.training.test_loop import rows


def test_what_each_signal_does() -> None:
    left: queue.Queue[tuple[str, int]] = queue.Queue()
    before = signal.getsignal(signal.SIGINT)
    with stoppable(lambda told, code: left.put((told, code))) as stop:
        stop.can_save = True
        os.kill(os.getpid(), signal.SIGTERM)
        while stop.signal is None:
            time.sleep(0.01)
        assert stop.signal == signal.SIGTERM
        assert left.empty()
        os.kill(os.getpid(), signal.SIGINT)
        assert left.get(timeout=10) == ("stopped at once by a second SIGINT", 130)
    with stoppable(lambda told, code: left.put((told, code))) as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert left.get(timeout=10) == ("stopped by SIGTERM: there was nothing to save", 143)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_nothing_to_save_while_it_compiles(
    number: signal.Signals,
    program: ExperimentProgram,
    tiny: Tiny,
) -> None:
    process = program.run(tiny(operator="ecc", compilation_cache="off"))
    reach(process, "compiling the training step")
    process.send_signal(number)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 128 + number
    assert err == f"gcgan_jax: stopped by {number.name}: there was nothing to save\n"


def test_saved_and_gone_on_with(program: ExperimentProgram, tiny: Tiny) -> None:
    def config(num_iterations: int) -> Experiment:
        return tiny(num_iterations=num_iterations, log_every=1, checkpoint_every=10**6)

    process = program.run(config(10**6))
    reach(process, "iterations/s")
    process.send_signal(signal.SIGTERM)
    code, _, err = ended(process)
    assert code == 143
    (step,) = (int(path.name) for path in (program.directory / "run" / "checkpoints").iterdir())
    saved = f"saved iteration {step} in {program.directory / 'run'}"
    told = f"gcgan_jax: stopped by SIGTERM: {saved}; the same command goes on from there\n"
    assert err == told

    process = program.run(config(10**6))
    reach(process, f"resuming at iteration {step} of")
    reach(process, "iterations/s")
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert code == 130
    steps = [row["step"] for row in rows(program.directory / "run")]
    assert steps == list(range(1, steps[-1] + 1))
    assert f"saved iteration {steps[-1]} in" in err


def test_scoring_gives_way(
    program: ExperimentProgram,
    tiny: Tiny,
) -> None:
    slow = tiny(
        generator__width=256,
        data__image_size=32,
        num_iterations=10**6,
        eval_every=1,
        eval__network="structure",
        eval__protocol="standard",
        checkpoint_every=10**6,
    )
    process = program.run(slow)
    reach(process, "compiled in")
    reach(process, "50000 images")
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert code == 130
    assert "saved iteration 1 in" in err
    assert (program.directory / "run" / "checkpoints" / "1").exists()
    assert not Path(program.directory / "run" / "scores.jsonl").exists()
