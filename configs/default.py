"""All config fields, with the thesis's values. The other configs override some of them.

Those of graph layers stand in `configs/graph_layer.py`.
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from configs.graph_layer import graph_layer


def get_config() -> ConfigDict:
    config = ConfigDict()

    config.seed = 0  # seed of initial weights, training, sampling and procedural images
    # Modules to import first, which register your own graphs, operators, merges, losses and so on.
    # The fields of each component form a section named after it, next to the field that selects it.
    config.extensions = ()

    # Training (thesis 4.3). One iteration is n_critic critic updates and one generator update.
    config.batch_size = 32  # images per update, split across all devices
    config.num_iterations = 100_000  # generator iterations; can be raised on resume
    config.decay_iterations = 100_000  # iteration at which the learning rate has decayed to 0
    config.n_critic = 5  # critic updates per generator update
    config.learning_rate = 1e-4  # initial learning rate of both networks; decays linearly
    config.iterations_per_call = 1  # per compiled call; must divide num_iterations and all periods

    config.loss = ConfigDict()
    # Loss of both networks: "wgan_gp", "wgan", "minimax", "non_saturating", "hinge" or "r3gan".
    config.loss.name = "wgan_gp"
    config.loss.wgan_gp = ConfigDict()
    config.loss.wgan_gp.penalty_weight = 10.0  # weight lambda of the gradient penalty
    config.loss.wgan = ConfigDict()
    config.loss.wgan.clip = 0.01  # c: all parameters of the critic stay in [-c, c]
    config.loss.r3gan = ConfigDict()
    config.loss.r3gan.penalty_weight = 0.05  # weight gamma of R1 and R2

    config.instance_noise = ConfigDict()  # on real and generated images that the critic sees
    config.instance_noise.sigma = 0.0  # initial standard deviation, for pixels in [-1, 1]
    config.instance_noise.decay_iterations = 100_000  # iteration at which it has decayed to 0

    config.ema_decay = placeholder(float)  # decay of an EMA of the generator; None: no EMA

    config.compute_dtype = "float32"  # dtype of matmuls and convolutions: "float32" or "bfloat16"
    config.matmul_precision = "default"  # "default", "high" or "highest"; kNN uses "highest"
    # Ask XLA for deterministic kernels on GPUs, which can be slower; no effect on CPUs and TPUs.
    config.deterministic = False
    # Directory of the compilation cache, or "off"; None: JAX's setting if any, else in the workdir.
    config.compilation_cache = placeholder(str)

    config.optimizer = ConfigDict()
    config.optimizer.name = "rmsprop"  # "rmsprop" (without momentum) or "adam"
    config.optimizer.b1 = 0.0  # decay of Adam's first moment
    config.optimizer.b2 = 0.9  # decay of the second moment, for both optimisers
    config.optimizer.eps = 1e-8  # added outside the square root

    config.data = ConfigDict()
    # "cifar10", "npz", "folder", "tfds:NAME", or procedural images, see docs/data.md.
    config.data.name = "cifar10"
    # Folder of images, or prepared TFDS directory; None: TFDS default, may download.
    config.data.dir = placeholder(str)
    config.data.npz = ConfigDict()
    config.data.npz.file = placeholder(str)  # file of uint8 arrays "train", "test" [n, S, S, F]
    config.data.folder = ConfigDict()  # if it has no subfolders "train" and "test":
    config.data.folder.held_out = 0.1  # share of the images that is held out
    config.data.tfds = ConfigDict()
    config.data.tfds.train_split = "train"  # training images, in the notation of TFDS
    config.data.tfds.test_split = "test"  # held-out images, such as "train[90%:]"
    config.data.image_size = 32  # image side, 4 * 2^n for a generator of n blocks
    config.data.channels = 3  # 3 for RGB, or 1 for grey images
    # All training images on each "device", or batches drawn on the "host", the same ones.
    config.data.placement = "device"
    config.data.device_limit = placeholder(int)  # bytes of images on a device; None: its memory
    config.data.twins = ConfigDict()  # procedural images, see gcgan_jax/data/twins.py
    config.data.twins.num_train = 10_000  # training images
    config.data.twins.num_test = 1_000  # held-out images
    config.data.twins.grid = 2  # grid x grid shapes per image; those on the diagonal are alike
    config.data.twins.jitter = 0  # maximum random displacement of each shape, in pixels
    config.data.twins.texture = 0  # period of stripes on the shapes, in pixels; 0: flat shapes
    config.data.echo = ConfigDict()  # cells of a few textures an image, see docs/data.md
    config.data.echo.num_train = 10_000  # training images
    config.data.echo.num_test = 1_000  # held-out images
    config.data.echo.tile = 5  # side of a cell in pixels, at most image_size / 3
    config.data.echo.kinds = 3  # textures of an image
    config.data.echo.dims = 12  # dimensions of the textures; 3: flat colours; 3 * tile^2: white
    config.data.echo.shift = False  # roll each image by up to tile - 1 pixels each way
    config.data.echo.fixed = False  # the same layout of kinds in all images
    config.data.far_echo = ConfigDict()  # the right edge repeats the left edge
    config.data.far_echo.num_train = 10_000  # training images
    config.data.far_echo.num_test = 1_000  # held-out images
    config.data.far_echo.tile = 5  # side of a cell in pixels, at most image_size / 4
    config.data.far_echo.dims = 12  # dimensions of the textures, as for echo
    config.data.parity = ConfigDict()  # an even number of eight tiles is white
    config.data.parity.num_train = 10_000  # training images
    config.data.parity.num_test = 1_000  # held-out images
    config.data.mirror = ConfigDict()  # the right half mirrors the left half
    config.data.mirror.num_train = 10_000  # training images
    config.data.mirror.num_test = 1_000  # held-out images
    config.data.mirror.tile = 4  # side of a cell in pixels; must divide image_size / 2
    config.data.mirror.dims = 48  # dimensions of the textures, as for echo
    config.data.palette = ConfigDict()  # the cells' colours have a mean of the image's own
    config.data.palette.num_train = 10_000  # training images
    config.data.palette.num_test = 1_000  # held-out images
    config.data.palette.tile = 5  # side of a cell in pixels, at most image_size / 3
    config.data.palette.dims = 3  # dimensions of the textures, as for echo
    config.data.palette.share = 0.5  # share of the cells' variance that an image has in common

    config.backbone = "gcgan"  # architecture of both networks; or "dcgan" or "resnet"
    # Generator (thesis figures 4.1 to 4.4): a 4x4 feature map, then blocks that double its side and
    # (resnet: do not) halve its features.
    config.generator = ConfigDict()
    config.generator.latent_size = 132  # dimension of the latents
    config.generator.width = 528  # features of the 4x4 feature map; halves are rounded down
    config.generator.graph_layer = graph_layer()
    config.generator.graph_blocks = placeholder(tuple)  # blocks with a graph layer; None: from 2 on
    config.generator.stem = "dense"  # or "constant": a learned 4x4 feature map, whatever the latent
    config.generator.noise = ConfigDict()  # at the input of a block's second (graph) convolution
    config.generator.noise.blocks = ()  # blocks with noise
    config.generator.noise.strength = placeholder(float)  # of all channels; None: learned, from 0
    config.generator.norm_momentum = 0.9  # decay of batch normalisation's running averages
    config.generator.norm_epsilon = 1e-5  # added to batch normalisation's variance

    config.critic = ConfigDict()
    config.critic.widths = (128, 256, 512)  # features after each convolution (resnet: block)
    config.critic.slope = 0.2  # negative slope of the leaky ReLU
    config.critic.graph_layer = graph_layer()
    config.critic.graph_after = (1,)  # convolutions, from 1, followed by a graph layer (if any)
    # "none", "layer", "spectral" or "batch"; the last needs a loss without a per-image penalty.
    config.critic.norm = "none"
    config.critic.norm_momentum = 0.9  # decay of batch normalisation's running averages
    config.critic.norm_epsilon = 1e-5  # added to the variance by layer and batch normalisation

    # Output of a run. Periods are in generator iterations.
    config.log_every = 50  # period of log entries: metrics and diagnostics
    config.sample_every = 500  # period of sample grids
    config.checkpoint_every = 500  # period of checkpoints
    config.checkpoints_to_keep = 3  # number of latest checkpoints to keep
    config.eval_every = placeholder(int)  # period of scoring; None: never
    config.sample_images = 64  # images per sample grid
    config.diagnostic_images = 256  # images that the diagnostics are computed on
    config.profile = placeholder(tuple)  # first and last iteration to profile, such as (10, 12)

    # Checkpoint for all modes but train: "newest", "best", "example" or an iteration, as text.
    config.checkpoint = "newest"

    # Scoring, during training and with --mode=evaluate.
    config.eval = ConfigDict()
    config.eval.network = "classifier"  # or "inception", or "structure" for procedural images
    config.eval.inception_weights = placeholder(str)  # file of Inception's weights; None: download
    config.eval.protocol = "small"  # "small", 5,000 samples, or "standard", 50,000
    config.eval.split = "train"  # split of the real images to compare with: "train" or "test"
    config.eval.batch_norm = "running"  # normalise by "running" averages or by each "batch"
    config.eval.batch_size = 256  # batch size of scoring and sampling, over all devices
    config.eval.cache = "~/.cache/gcgan_jax"  # directory of downloaded weights and real features

    # Images of a trained generator: --mode=sample, interpolate, neighbours, nearest and ablate;
    # headroom needs none.
    config.show = ConfigDict()
    config.show.seed = 0  # seed of the latents, which are indexed from 0
    config.show.ema = False  # use the generator's EMA, for runs with ema_decay
    config.show.images = 64  # sample: number of images
    config.show.format = "grid"  # sample: "grid", single "png" files, or "npz", uint8 [n, H, W, 3]
    config.show.waypoints = 9  # interpolate: number of latents on the path
    config.show.steps = 8  # interpolate: steps from each waypoint to the next
    config.show.arithmetic = (0, 1, 2)  # interpolate: indices of latents a, b, c for a - b + c
    config.show.latents = (0, 1, 2, 3)  # neighbours and nearest: indices of the latents
    config.show.rows = (8, 16, 23)  # neighbours: rows of the pixels to visualise
    config.show.columns = (8, 16, 23)  # neighbours: columns of the same pixels
    config.show.nearest = 5  # nearest: training images per generated image
    config.show.ablation_images = 1_000  # ablate: images per rule, a multiple of 10
    config.show.headroom_images = 256  # headroom: images of each split of the data set

    # The classifier of --mode=probe, which contains the generator's graph layer.
    config.probe = ConfigDict()
    config.probe.seeds = 6  # trainings of each stage, with different initial weights and batches
    config.probe.steps = 150  # updates of each training
    config.probe.batch_size = 64  # images per update
    config.probe.learning_rate = 2e-3  # initial learning rate of Adam; decays to 0 by a cosine
    config.probe.width = 32  # features of the first convolution and of the graph layer
    config.probe.train_images = 5_000  # labelled images to train on
    config.probe.test_images = 1_000  # held-out images

    return config
