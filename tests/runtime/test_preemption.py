"""Signals sent to the program: it saves, reports where, and exits with the signal's code."""

import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gcgan_jax.experiment import Experiment
from gcgan_jax.runtime.preemption import ENDING, PATIENCE, WARNING, Stop, stoppable
from tests.conftest import Tiny
from tests.program import ExperimentProgram, ended, reach
from tests.training.test_loop import log_entries

Exits = queue.Queue[tuple[str, int]]


@pytest.fixture
def exits() -> Exits:
    return queue.Queue()


def noted(exits: Exits) -> Callable[[str, int], None]:
    return lambda message, code: exits.put((message, code))


def wait_for(stop: Stop) -> int:
    while stop.signal is None:
        time.sleep(0.01)
    return stop.signal


@pytest.mark.parametrize("name", ENDING + WARNING)
def test_each_signal_asks_to_save(name: str, exits: Exits) -> None:
    number = getattr(signal, name)
    before = signal.getsignal(number)
    with stoppable(noted(exits)) as stop:
        stop.enable_saving()
        os.kill(os.getpid(), number)
        assert wait_for(stop) == number
        assert exits.empty()
    with stoppable(noted(exits)):
        os.kill(os.getpid(), number)
        assert exits.get(timeout=10) == (f"stopped by {name}: nothing to save", 128 + number)
    assert signal.getsignal(number) is before


def test_only_a_later_signal_ends_the_program_at_once(exits: Exits) -> None:
    with stoppable(noted(exits)) as stop:
        stop.enable_saving()
        os.kill(os.getpid(), signal.SIGTERM)
        wait_for(stop)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
        time.sleep(PATIENCE + 0.1)
        os.kill(os.getpid(), signal.SIGXCPU)  # which the kernel repeats every second
        assert exits.empty() and stop.signal == signal.SIGTERM
        os.kill(os.getpid(), signal.SIGINT)
        assert exits.get(timeout=10) == ("stopped immediately by a second SIGINT", 130)


def test_a_closed_terminal_is_ignored_under_nohup(exits: Exits) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable(noted(exits)) as stop:
            stop.enable_saving()
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(0.2)
            assert stop.signal is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_decision_to_exit_is_final(exits: Exits) -> None:
    stop = Stop(noted(exits))
    assert not stop.decide()
    thread = threading.Thread(target=stop.enable_saving, daemon=True)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()  # it waits for the end of the program


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_signal_during_compilation_exits_at_once(
    number: signal.Signals,
    program: ExperimentProgram,
    tiny: Tiny,
) -> None:
    process = program.run(tiny(operator="ecc", compilation_cache="off"))
    reach(process, "compiling the training step")
    process.send_signal(number)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 128 + number
    assert err == f"gcgan_jax: stopped by {number.name}: nothing to save\n"


def test_stopped_run_is_saved_and_resumed(program: ExperimentProgram, tiny: Tiny) -> None:
    def config(num_iterations: int) -> Experiment:
        return tiny(num_iterations=num_iterations, log_every=1, checkpoint_every=10**6)

    process = program.run(config(10**6))
    reach(process, "iterations/s")
    process.send_signal(signal.SIGTERM)
    code, _, err = ended(process)
    assert code == 143
    (step,) = (int(path.name) for path in (program.directory / "run" / "checkpoints").iterdir())
    saved = f"saved iteration {step} in {program.directory / 'run'}"
    message = f"gcgan_jax: stopped by SIGTERM: {saved}; rerun the same command to resume\n"
    assert err == message

    process = program.run(config(10**6))
    reach(process, f"resuming at iteration {step} of")
    reach(process, "iterations/s")
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert code == 130
    steps = [entry["step"] for entry in log_entries(program.directory / "run")]
    assert steps == list(range(1, steps[-1] + 1))
    assert f"saved iteration {steps[-1]} in" in err


@pytest.mark.slow
def test_signal_interrupts_evaluation(
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
    assert Path(program.directory / "run" / "scores.jsonl").read_text() == ""
