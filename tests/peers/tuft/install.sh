#!/bin/sh
# TuFT for training on a CPU, without vLLM: 5.7 GB. Usage: tests/peers/tuft/install.sh [FOLDER]
set -e
here=$(cd "$(dirname "$0")" && pwd)
venv=${1:-/tmp/venvs/tuft}
[ -x "$venv/bin/python" ] || uv venv -q --python "${PYTHON:-3.12}" "$venv"
VIRTUAL_ENV=$venv uv pip install -q -r "$here/requirements.txt" --overrides "$here/overrides.txt"
