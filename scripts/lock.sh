#!/usr/bin/env bash
# Writes requirements.lock: one version of everything, for every platform and Python we run on.
# `scripts/lock.sh` keeps the versions that are there and changes only what pyproject.toml asks for;
# `scripts/lock.sh --upgrade` takes the newest of all; `scripts/lock.sh --check` compares, offline.
#
# Two things a resolver can't settle alone:
#   * python-deriv-api 0.1.6, Deriv's official client, pins websockets==10.3 and reactivex==4.0.*,
#     while Ray Serve's uvicorn needs a current websockets. The client uses so little of either that
#     it runs unchanged on the current ones (tests/test_deriv_feed.py holds us to that), so the pins are
#     overridden below. An override lives in the resolver alone, which is why the client is named
#     here and not in pyproject.toml, where every other installer would fail on it.
#   * torch's CUDA parts (nvidia-*, cuda-*, triton) are left out: torch's ordinary build pins them
#     itself, and its CPU build has no use for them. See scripts/install.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

client='python-deriv-api==0.1.6'
overrides=$'websockets>=17\nreactivex>=4.1'
installer='uv==0.13.8'

# What the lock depends on. Settings of other tools in pyproject.toml may change without a new lock.
inputs() {
    .venv/bin/python - "$client" "$overrides" "$installer" <<'PYTHON'
import hashlib, json, sys, tomllib
with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)
asked = [project["project"]["requires-python"], project["project"]["dependencies"],
         project["dependency-groups"], sys.argv[1:]]
print(hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16])
PYTHON
}

mark="# made by scripts/lock.sh from inputs $(inputs)"
if [[ ${1:-} == --check ]]; then
    [[ $(head -n 1 requirements.lock) == "$mark" ]] && exit 0
    echo "requirements.lock is older than the dependencies in pyproject.toml: run scripts/lock.sh" >&2
    exit 1
fi

draft=$(mktemp -d)
trap 'rm -rf "$draft"' EXIT
printf '%s\n' "$client" "$installer" >"$draft/extra.in"
printf '%s\n' "$overrides" >"$draft/overrides.txt"
cp requirements.lock "$draft/requirements.lock" 2>/dev/null || true
.venv/bin/uv pip compile pyproject.toml "$draft/extra.in" --group dev --override "$draft/overrides.txt" \
    --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
    --quiet --output-file "$draft/requirements.lock" "$@" >/dev/null
{ echo "$mark"; grep -Ev '^(nvidia-|cuda-|triton|#)' "$draft/requirements.lock"; } >"$draft/new.lock"
mv "$draft/new.lock" requirements.lock
