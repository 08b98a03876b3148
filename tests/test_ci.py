"""What continuous integration installs and runs is pinned by content."""

import re

import pytest

from tests.program import ROOT

PIN = re.compile(
    r"^([a-z0-9-]+)==(\S+)(?: ; .*?)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)"
)


def pins(name: str) -> dict[str, str]:
    """Return the version of each package in a file of requirements, each of which has hashes."""
    text, found = (ROOT / ".ci" / name).read_text(), {}
    while text:
        pin = PIN.match(text)
        assert pin, f"{name}: a requirement without hashes: {text[:80]!r}"
        found[pin[1]] = pin[2]
        text = text[pin.end() :]
    return found


def test_locked_versions_are_those_of_the_constraints() -> None:
    constraints = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines()
    )
    locked = pins("locked.txt")
    assert constraints.items() <= locked.items()


@pytest.mark.parametrize("name", ["locked.txt", "lowest.txt"])
def test_all_requirements_have_hashes(name: str) -> None:
    assert {"jax", "flax", "pytest", "setuptools"} <= pins(name).keys()
    assert f"--require-hashes -r .ci/{name}" in (ROOT / ".ci" / "run").read_text()


def test_hosted_actions_are_pinned_by_commit() -> None:
    workflows = list((ROOT / ".github" / "workflows").glob("*.yml"))
    uses = [line for path in workflows for line in re.findall(r"uses: (.*)", path.read_text())]
    assert uses
    for action in uses:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_ci_runs_the_readme_test_command() -> None:
    (command,) = re.findall(r".*&& (.* -m pytest)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()
