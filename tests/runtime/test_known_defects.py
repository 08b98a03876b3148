"""Known defects by version and device."""

from gcgan_jax.runtime.known_defects import avoidable_defects, known_defects


def test_old_versions_are_slow_on_gpus() -> None:
    scatters, segment_sums = known_defects("gpu", "0.10.2")
    assert "install 0.11.1 or newer" in scatters and "#39959" in segment_sums
    assert [*avoidable_defects("gpu", "0.10.2")] == [scatters]
    for jaxlib in ("0.11.1", "0.12.0.1"):
        (defect,) = known_defects("gpu", jaxlib)
        assert "#39959" in defect
        assert not [*avoidable_defects("gpu", jaxlib)]
    assert not [*known_defects("cpu", "0.10.2")]
