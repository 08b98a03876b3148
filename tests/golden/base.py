"""All config fields, frozen as they were in `configs/default.py` when the runs were recorded.

Give a new field the value that changes nothing here, and a renamed field its new name.
"""

from ml_collections import ConfigDict


def get_config() -> ConfigDict:
    return ConfigDict(
        {
            "seed": 0,
            "batch_size": 4,
            "num_iterations": 20,
            "decay_iterations": 30,
            "n_critic": 2,
            "learning_rate": 1e-3,
            "extensions": (),
            "loss": {"name": "wgan_gp", "wgan_gp": {"penalty_weight": 10.0}},
            "backbone": "gcgan",
            "iterations_per_call": 1,
            "ema_decay": None,
            "compute_dtype": "float32",
            "matmul_precision": "default",
            "compilation_cache": "off",
            "optimizer": {"name": "rmsprop", "b1": 0.0, "b2": 0.9, "eps": 1e-8},
            "data": {
                "name": "twins",
                "dir": None,
                "image_size": 16,
                "channels": 3,
                "twins": {
                    "num_train": 64,
                    "num_test": 16,
                    "grid": 2,
                    "jitter": 0,
                    "texture": 0,
                },
            },
            "generator": {
                "latent_size": 8,
                "width": 32,
                "graph_layer": graph_layer(),
                "graph_blocks": None,
                "norm_momentum": 0.9,
                "norm_epsilon": 1e-5,
            },
            "critic": {
                "widths": (8, 12, 16),
                "slope": 0.2,
                "graph_layer": graph_layer(),
                "graph_after": (1,),
            },
            "log_every": 1,
            "sample_every": 20,
            "checkpoint_every": 20,
            "checkpoints_to_keep": 3,
            "eval_every": None,
            "sample_images": 16,
            "diagnostic_images": 16,
            "profile": None,
            "checkpoint": "newest",
            "eval": {
                "network": "structure",
                "inception_weights": None,
                "protocol": "small",
                "split": "train",
                "batch_norm": "running",
                "batch_size": 256,
                "cache": "~/.cache/gcgan_jax",
            },
            "show": {
                "seed": 0,
                "ema": False,
                "images": 64,
                "format": "grid",
                "waypoints": 9,
                "steps": 8,
                "arithmetic": (0, 1, 2),
                "latents": (0, 1, 2, 3),
                "rows": (8, 15),
                "columns": (8, 15),
                "nearest": 5,
            },
        }
    )


def graph_layer() -> dict:
    return {
        "graph": {"name": "knn", "knn": {"k": 4}},
        "operator": {
            "name": "none",
            "edge_conv": {"reduction": "sum"},
            "ecc": {"hidden": None, "attention": True, "delta": 10.0, "slope": 0.2},
        },
        "merge": {"name": "average"},
    }
