"""Every field of a run, with the thesis's values. The other files here override a few of them."""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder


def get_config() -> ConfigDict:
    config = ConfigDict()

    # Everything random follows from it: weights, draws, fixed latents, procedural images.
    config.seed = 0

    # Modules that add parts of your own to the tables of graphs, operators, merges and so on; they
    # are imported first. A part's fields stand in a section of its name beside that name.
    config.extensions = ()

    # Training (thesis 4.3). One iteration is n_critic critic updates and one generator update.
    config.batch_size = 32  # images of each draw, over all devices
    config.num_iterations = 100_000  # generator iterations; may be raised when resuming
    config.decay_iterations = 100_000  # at which the learning rate, falling linearly, is 0
    config.n_critic = 5
    config.learning_rate = 1e-4  # of both players
    config.iterations_per_call = 1  # in one compiled call; the periods below are multiples of it

    config.loss = ConfigDict()
    config.loss.name = "wgan_gp"
    config.loss.wgan_gp = ConfigDict()
    config.loss.wgan_gp.penalty_weight = 10.0  # lambda of the gradient penalty

    config.ema_decay = placeholder(float)  # of an average of the generator; None: none is kept

    config.compute_dtype = "float32"  # or "bfloat16", in which products and convolutions are made
    config.matmul_precision = "default"  # or "high" or "highest"; distances are always "highest"
    # Directory of compiled programs, or "off"; None: JAX's own setting, or in the workdir.
    config.compilation_cache = placeholder(str)

    config.optimizer = ConfigDict()
    config.optimizer.name = "rmsprop"  # or "adam"
    config.optimizer.b1 = 0.0  # decay of Adam's mean; RMSprop has no momentum
    config.optimizer.b2 = 0.9  # decay of the mean square
    config.optimizer.eps = 1e-8  # added outside the square root

    config.data = ConfigDict()
    config.data.name = "cifar10"  # or "twins", procedural
    config.data.dir = placeholder(str)  # prepared TFDS directory; None: TFDS's own, filled on use
    config.data.image_size = 32  # 4 * 2^n for n generator blocks
    config.data.channels = 3
    config.data.twins = ConfigDict()  # see gcgan_jax/data/twins.py
    config.data.twins.num_train = 10_000
    config.data.twins.num_test = 1_000
    config.data.twins.grid = 2  # grid x grid figures; those on the diagonal are alike
    config.data.twins.jitter = 0  # pixels by which each figure is moved at random
    config.data.twins.texture = 0  # period in pixels of stripes on the figures; 0: flat

    # Generator (thesis figures 4.1 to 4.4): 4x4 x width, then blocks that double the side and
    # halve the features.
    config.backbone = "gcgan"
    config.generator = ConfigDict()
    config.generator.latent_size = 132
    config.generator.width = 528
    config.generator.graph_layer = graph_layer()
    config.generator.graph_blocks = placeholder(tuple)  # with a graph layer; None: 2 and later
    config.generator.norm_momentum = 0.9  # of the running averages used for sampling
    config.generator.norm_epsilon = 1e-5

    config.critic = ConfigDict()
    config.critic.widths = (128, 256, 512)
    config.critic.slope = 0.2  # of the leaky ReLU
    config.critic.graph_layer = graph_layer()
    config.critic.graph_after = (1,)  # convolutions that it follows, if its operator is not "none"

    # What a run shows and keeps, every so many iterations.
    config.log_every = 50
    config.sample_every = 500
    config.checkpoint_every = 500
    config.checkpoints_to_keep = 3  # the newest
    config.eval_every = placeholder(int)  # scoring; None: never
    config.sample_images = 64  # in a sample grid
    config.diagnostic_images = 256  # by which the read-only figures are measured
    config.profile = placeholder(tuple)  # first and last iteration of a trace, as (10, 12)

    config.checkpoint = "newest"  # or "best" or an iteration, for all modes but train

    # Scoring, in training and by --mode=evaluate.
    config.eval = ConfigDict()
    config.eval.network = "classifier"  # or "inception", or of procedural images "structure"
    config.eval.inception_weights = placeholder(str)  # the published file; None: fetched once
    config.eval.protocol = "small"  # 5,000 samples; or "standard", 50,000
    config.eval.split = "train"  # of the real images that samples are compared with; or "test"
    config.eval.batch_norm = "running"  # averages; or "batch", the statistics of each batch
    config.eval.batch_size = 256  # images at once, over all devices; likewise of pictures
    config.eval.cache = "~/.cache/gcgan_jax"  # Inception's weights, features of real images

    # Pictures of a trained generator: --mode=sample, interpolate, neighbours and nearest.
    config.show = ConfigDict()
    config.show.seed = 0  # of the latents, which are numbered from 0
    config.show.ema = False  # the generator's average, if ema_decay kept one
    config.show.images = 64  # sample
    config.show.format = "grid"  # or "png", one each, or "npz", uint8 [n, H, W, 3]
    config.show.waypoints = 9  # interpolate: latents passed through
    config.show.steps = 8  # from one to the next
    config.show.arithmetic = (0, 1, 2)  # latents a, b, c, for a - b + c
    config.show.latents = (0, 1, 2, 3)  # neighbours and nearest: images looked at
    config.show.rows = (8, 16, 23)  # neighbours: of the pixels looked at, and
    config.show.columns = (8, 16, 23)  # their columns
    config.show.nearest = 5  # nearest: training images beside each

    return config


def graph_layer() -> ConfigDict:
    """The graph layer of a network: who is connected, what they exchange, how that is merged."""
    layer = ConfigDict()
    layer.graph = ConfigDict()
    layer.graph.name = "knn"
    layer.graph.knn = ConfigDict()
    layer.graph.knn.k = 8  # nearest neighbours of each pixel
    layer.operator = ConfigDict()
    layer.operator.name = "none"  # no such layer; or "edge_conv" or "ecc"
    layer.operator.edge_conv = ConfigDict()
    layer.operator.edge_conv.reduction = "sum"  # over the neighbours; or "mean" or "max"
    layer.operator.ecc = ConfigDict()
    layer.operator.ecc.hidden = placeholder(int)  # of the filter network; None: as its inputs
    layer.operator.ecc.attention = True  # gamma on or off
    layer.operator.ecc.delta = 10.0  # gamma = exp(-||h_j - h_i||^2 / delta)
    layer.operator.ecc.slope = 0.2  # of the filter network's leaky ReLU
    layer.merge = ConfigDict()
    layer.merge.name = "average"  # of the 3x3 convolution and the operator
    return layer
