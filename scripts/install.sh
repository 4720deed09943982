#!/usr/bin/env bash
# Makes .venv hold what requirements.lock names, with this checkout on top. Does nothing when
# neither has changed since the last time.
#
# Why this is not one `pip install`:
#   1. torch goes first, by pip: pip takes the CPU build where it is told of one (PIP_FIND_LINKS or
#      PIP_EXTRA_INDEX_URL) and the ordinary build elsewhere, which brings CUDA. So a GPU machine
#      gets CUDA torch by the same route, and nothing here asks which machine it is.
#   2. All else comes from requirements.lock by uv, in seconds where pip takes minutes, and without
#      looking at dependencies again: scripts/lock.sh has resolved them, once, for everybody. It
#      must be so: python-deriv-api pins websockets==10.3, which no current server can live with;
#      how that is settled is told in scripts/lock.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
stamp=$venv/.installed
wanted=$(cat requirements.lock pyproject.toml scripts/install.sh | cksum)
if [[ -x $venv/bin/python && -f $stamp && $(<"$stamp") == "$wanted" ]]; then
    exit 0
fi

stop() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

new_enough() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null
}

if [[ ! -x $venv/bin/python ]] || ! new_enough $venv/bin/python; then
    base=
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
        if new_enough "$candidate"; then
            base=$candidate
            break
        fi
    done
    [[ -n $base ]] || stop \
        "needs Python 3.11 to 3.14; '${PYTHON:-python3}' is $("${PYTHON:-python3}" -V 2>/dev/null || echo absent)" \
        "install one (Debian, Ubuntu: apt install python3.11 python3.11-venv; macOS: brew install python@3.11)" \
        "or name one: make setup PYTHON=/path/to/python3.11"
    rm -rf $venv
    "$base" -m venv $venv || {
        rm -rf $venv
        stop "'$base' can't make a virtual environment" \
            "its venv module is a package of its own on Debian and Ubuntu: apt install $("$base" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    }
fi

# The lock names the versions of torch and uv too; they are only fetched by another hand.
pinned() { sed -n "s/^\($1==[^ ;]*\).*/\1/p" requirements.lock; }

export PIP_DISABLE_PIP_VERSION_CHECK=1
echo "setup: torch ($(pinned torch)); the largest download, some minutes on a slow line"
$venv/bin/python -m pip install --quiet "$(pinned torch)" "$(pinned uv)"
echo "setup: $(grep -c '==' requirements.lock) locked packages"
# Compiled now, because a symbol actor that was killed must be back in seconds: without bytecode
# its imports alone take two.
grep -v '^torch==' requirements.lock |
    $venv/bin/uv pip install --quiet --python $venv/bin/python --no-deps --compile-bytecode -r -
$venv/bin/uv pip install --quiet --python $venv/bin/python --no-deps --editable .
printf '%s\n' "$wanted" >"$stamp"
echo "setup: done"
