"""Starts TuFT on a CPU: Ray is told of a GPU that is not there, so that it places the worker."""

import os
import sys

import ray

here = os.path.dirname(os.path.abspath(__file__))
environment = {"worker_process_setup_hook": "nocuda.hook", "env_vars": {"PYTHONPATH": here}}
ray.init(num_cpus=2, num_gpus=1, include_dashboard=False, runtime_env=environment)

from tuft.cli import main  # noqa: E402

config, port = sys.argv[1:]
sys.argv = ["tuft", "launch", "--port", port, "--host", "127.0.0.1", "--config", config]
sys.exit(main())
