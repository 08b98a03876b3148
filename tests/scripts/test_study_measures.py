"""The study's bench and its critic alone: hand arithmetic, and tiny runs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax.data.echo import Echo
from scripts.study import bench, critic_alone, headroom, non_local_means
from scripts.study.configured import make
from scripts.study.jobs import Settings
from scripts.study.runs import JOBS

TINY = {"data.echo.num_train": 16, "data.echo.num_test": 8, "num_iterations": 2}
TINY |= {"iterations_per_call": 1, "batch_size": 4, "critic.widths": (4, 6, 8)}


def settings(run: str, arm: str) -> Settings:
    found = next(job.settings for job in JOBS if (job.run, job.arm) == (run, arm))
    return {**found, **TINY} | ({"features": 4} if run == "A1" else {})


def test_bounds_of_the_bench() -> None:
    assert bench.bound(0.4, 0) == pytest.approx(0.080)
    assert bench.bound(0.4, 8) == pytest.approx(0.016)


def test_pixels_with_a_label_are_copies() -> None:
    data = Echo(seed=0, image_size=32, dims=75)
    (image,), (labels,) = data.draw(1, 1), bench.true_copies(data, 1, 1)
    pixels = image.reshape(-1, 3)
    for label in np.unique(labels):
        assert (pixels[labels == label] == pixels[labels == label][0]).all()
    assert len(np.unique(labels)) == 1 + 3 * 25
    assert np.sum(labels == -1) == 32**2 - 30**2


def test_purity() -> None:
    labels = np.array([[5, 5, 6, -1, 5]])
    indices = np.array([[[1, 2], [0, 1], [0, 1], [3, 3], [0, 1]]])
    assert bench.purity(labels, indices) == pytest.approx((1 + 1 + 0 + 2) / 8)
    weights = np.array([[[0.9, 0.1], [0.5, 0.5], [0.5, 0.5], [1.0, 1.0], [0.2, 0.8]]])
    assert bench.purity(labels, indices, weights) == pytest.approx((0.9 + 0.5 + 1) / 4)


def test_non_local_means() -> None:
    noisy = np.random.default_rng(0).normal(size=(1, 5, 5, 2)).astype(np.float32)
    window, k, h, noise = 3, 2, 0.1, 0.4
    padded = np.pad(noisy[0], ((1, 1), (1, 1), (0, 0)))
    windows = {(i, j): padded[i : i + window, j : j + window] for i in range(5) for j in range(5)}
    expected = np.empty_like(noisy[0])
    for p, own in windows.items():
        far = [q for q in windows if max(abs(q[0] - p[0]), abs(q[1] - p[1])) > 1]
        d = sorted((np.mean((windows[q] - own) ** 2), q) for q in far)[:k]
        weights = [(np.exp(-max(distance - 2 * noise**2, 0) / h), q) for distance, q in d]
        m = 1 + sum(weight for weight, _ in weights)
        mean = (noisy[0][p] + sum(weight * noisy[0][q] for weight, q in weights)) / m
        expected[p] = 0.4**2 / (0.4**2 + noise**2 / m) * mean
    restored, _ = non_local_means.non_local_means(jnp.asarray(noisy), window, k, h, noise)
    np.testing.assert_allclose(restored[0], expected, rtol=1e-5)


def test_local_branches_see_no_copy() -> None:
    """With self-loops, an output depends on no pixel more than 3 away; a cell has 5."""
    experiment = make(
        {
            name: v
            for name, v in settings("A1", "self").items()
            if name not in ("features", "noise")
        },
        seed=0,
    )
    denoiser = bench.Denoiser(4, experiment.gan.generator.graph_conv)
    keys = bench.image_keys(jax.random.key(0), 1)
    image = jax.random.normal(jax.random.key(1), (1, 32, 32, 3))
    variables = jax.jit(denoiser.init)(jax.random.key(2), image, keys)

    def output(image: jax.Array) -> jax.Array:
        return jnp.sum(denoiser.apply(variables, image, keys)[0, 16, 16])

    (rows, columns, _) = np.nonzero(jax.jit(jax.grad(output))(image)[0])
    assert abs(np.concatenate([rows, columns]) - 16).max() == 3 < 5


@pytest.mark.parametrize("arm", ["knn", "soft_knn", "self_attention"])
def test_the_bench_trains(arm: str) -> None:
    result = bench.measure(settings("A1", arm), seed=0)
    assert result["curve"]["step"] == [1, 2] and result["mse"] == result["curve"]["mse"][-1] < 1
    assert ("purity" in result) == (arm != "self_attention")
    if arm != "self_attention":
        assert 0 < result["purity"] < 1 and result["bounds"] == pytest.approx([0.08, 0.016])


def test_independent_cells_do_not_agree() -> None:
    data = Echo(seed=0, image_size=32, dims=3)
    images = critic_alone.independent_cells(data, 7, 500)
    assert data.structure(images)["agreement"] == pytest.approx(0, abs=0.03)
    real = data.draw(1, 500)
    np.testing.assert_allclose(images.mean(), real.mean(), atol=2)
    assert np.array_equal((images == 0).all(axis=(0, 3)), (real == 0).all(axis=(0, 3)))


def test_d_prime() -> None:
    assert critic_alone.d_prime(np.array([2.0, 4.0]), np.array([-1.0, 1.0])) == 3 / 2**0.5


def test_a_critic_is_trained_alone() -> None:
    result = critic_alone.measure(settings("A2", "echo-3"), seed=0)
    assert result["curve"]["update"] == [1, 2]
    assert np.isfinite(result["d_prime"])
    assert result["d_prime"] == result["curve"]["d_prime"][-1] != result["curve"]["d_prime"][0]


def test_headroom_is_measured() -> None:
    few = {"show.headroom_images": 10, "data.echo.num_train": 10, "data.echo.num_test": 10}
    result = headroom.measure({**settings("C5", "echo-12"), **few}, seed=0)
    assert result["images"] == 10 and result["explained"]["mean"]["headroom"]["value"] > 0.1
