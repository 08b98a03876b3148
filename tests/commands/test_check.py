"""--mode=check passes here, and would fail if an operator were wrong."""

from dataclasses import replace

from gcgan_jax.commands.check import check_operator
from gcgan_jax.commands.checked_operators import operators
from tests.program import Program, ended


def test_all_operators_agree_on_this_device() -> None:
    program = Program()
    code, out, err = ended(program.start("--mode=check"))
    assert (code, err) == (0, "")
    devices, versions, *operators = out.splitlines()
    assert devices.startswith("devices: ") and devices.endswith(" x cpu (cpu)")
    assert versions.startswith("gcgan_jax 0.") and "jaxlib" in versions
    assert len(operators) == 19 and all("agrees: error " in line for line in operators)


def test_a_wrong_operator_fails() -> None:
    edge_conv, *_ = operators()
    wrong = replace(edge_conv, function=lambda *arrays: 1.001 * edge_conv.function(*arrays))
    agreement = check_operator(wrong)
    assert not agreement.agrees
    assert str(agreement).startswith(f"{edge_conv.name:<24} FAILED: error 1e-03 in value and")
