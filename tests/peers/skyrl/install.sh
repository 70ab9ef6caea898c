#!/bin/sh
# SkyRL's Tinker server for a CPU without torch: 1.2 GB. Usage: tests/peers/skyrl/install.sh [FOLDER]
set -e
here=$(cd "$(dirname "$0")" && pwd)
venv=${1:-/tmp/venvs/skyrl}
[ -x "$venv/bin/python" ] || uv venv -q --python "${PYTHON:-3.12}" "$venv"
VIRTUAL_ENV=$venv uv pip install -q -r "$here/requirements.txt" --overrides "$here/overrides.txt"
site=$("$venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')
# the server imports these two for their names: a class of arguments, and the writing of an adapter's config
mkdir -p "$site/torch" "$site/peft"
printf 'class Tensor:\n    pass\n' > "$site/torch/__init__.py"
cat > "$site/peft/__init__.py" <<'PY'
import json
import os


class LoraConfig:
    def __init__(self, **fields):
        self.fields = fields

    def save_pretrained(self, folder):
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "adapter_config.json"), "w") as file:
            json.dump({"peft_type": "LORA", **self.fields}, file, default=str)
PY
