"""Directory of the compilation cache: the user's own, wherever a run comes from."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import jax
import pytest

from gcgan_jax.runtime.compilation_cache import compilation_cache


@pytest.fixture(autouse=True)
def no_directory() -> Iterator[None]:
    """Start without the cache of these tests."""
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    jax.config.update("jax_compilation_cache_dir", before)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def directory(workdir: Path, field: str | None = None) -> Path | None:
    """Return the directory that is used for a workdir, after writing a program into it."""
    with compilation_cache(field, workdir):
        used = jax.config.jax_compilation_cache_dir
        if used is None:
            return None
        (Path(used) / "program-cache").write_text("")
        return Path(used)


def test_directory_is_the_fields_then_jaxs_own_then_the_workdirs(tmp_path: Path) -> None:
    workdir, mine, here = (tmp_path / name for name in ("run", "mine", "here"))
    assert directory(workdir).parent == workdir / "compiled"
    jax.config.update("jax_compilation_cache_dir", str(mine))
    assert directory(workdir) == mine
    assert directory(workdir, str(here)) == here
    assert jax.config.jax_compilation_cache_dir == str(mine)
    with compilation_cache("off", workdir):
        assert jax.config.jax_compilation_cache_dir == str(mine)


def test_resumed_runs_keep_their_cache(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = directory(tmp_path / "run")
    (tmp_path / "link").symlink_to(tmp_path / "run")
    assert directory(tmp_path / "run") == first == directory(tmp_path / "link")
    assert capsys.readouterr().out == ""
    assert (first.stat().st_mode & 0o777, len(list(home.rglob("key")))) == (0o700, 1)


@pytest.mark.parametrize("how", ["copied", "moved back", "another user"])
def test_programs_from_elsewhere_are_kept_but_not_used(
    how: str, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, copy = tmp_path / "run", tmp_path / "copy"
    theirs = directory(run)
    if how == "copied":
        shutil.copytree(run, copy)
        run = copy
    elif how == "moved back":
        shutil.copytree(run, copy)
        shutil.rmtree(run)
        (tmp_path / "another inode").mkdir()
        copy.rename(run)
    else:
        shutil.rmtree(home)
    ours = directory(run)
    assert ours.name != theirs.name and [path.name for path in ours.iterdir()] == ["program-cache"]
    message = "compiled holds programs of another user, place or version: they are not used\n"
    assert capsys.readouterr().out == f"{run}/{message}"
    assert (run / "compiled" / theirs.name / "program-cache").exists()
    assert directory(run) == ours and capsys.readouterr().out == ""


def test_link_in_place_of_the_cache_is_not_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("run", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "run" / "compiled").symlink_to(tmp_path / "elsewhere")
    assert directory(tmp_path / "run") is None
    assert "run/compiled (it is not a directory): the next start" in capsys.readouterr().out
    assert not list((tmp_path / "elsewhere").iterdir())


def test_directory_open_to_others_is_not_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory(tmp_path / "run").chmod(0o777)
    assert directory(tmp_path / "run") is None
    assert "belongs to others" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["file", "file/below", "/dev/null", "/proc/cache"])
@pytest.mark.parametrize("chosen_by", ["field", "jax"])
def test_unusable_directory_is_reported_once(
    chosen_by: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    path = str(tmp_path / name)
    if chosen_by == "jax":
        jax.config.update("jax_compilation_cache_dir", path)
    assert directory(tmp_path / "run", path if chosen_by == "field" else None) is None
    out = capsys.readouterr().out
    assert out.startswith(f"compiled programs cannot be cached in {path} (")
    assert out.count("\n") == 1 and "workdir" not in out


def test_home_without_a_key_means_no_cache(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.write_text("")
    assert directory(tmp_path / "run") is None
    assert "(no key in ~/.cache/gcgan_jax: " in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [home]


def test_nothing_is_left_behind_if_nothing_is_compiled(tmp_path: Path) -> None:
    with compilation_cache(None, tmp_path / "a" / "run"):
        assert jax.config.jax_compilation_cache_dir
    assert not (tmp_path / "a").exists()
