"""What a loss is; B images.

D(x) is the critic's output. Losses that need a probability take D(x) as its logit.
"""

from typing import Any, Protocol, runtime_checkable

from jax import Array
from jaxtyping import Float, Int, Key

from gcgan_jax.arrays import AnyArray
from gcgan_jax.gan.penalties import Critic

Images = Float[AnyArray, "B H W F"]
Keys = Key[Array, "B"]
Iteration = Int[Array, ""]
Scalar = Float[Array, ""]
Metrics = dict[str, Array]


@runtime_checkable
class Loss(Protocol):
    """The objectives that both networks minimise, on a batch with one key per image.

    `iteration` counts generator iterations from 0, for losses with a schedule. Metrics are means
    over the batch. A loss with the class attribute `per_sample_penalty = False` differentiates D at
    no image by itself, and so allows critics in which the images of a batch affect each other.
    """

    def critic_loss(
        self, critic: Critic, real: Images, fake: Images, keys: Keys, iteration: Iteration
    ) -> tuple[Scalar, Metrics]: ...

    def generator_loss(
        self, critic: Critic, real: Images, fake: Images, keys: Keys, iteration: Iteration
    ) -> Scalar: ...

    def project(self, critic_params: Any) -> Any:
        """Project the critic's parameters onto their constraint set after an update."""
        ...
