#!/usr/bin/env bash
# Checks the outputs of a finished ceremony with software that is not ours.
#
#   conformance/run.sh DEMO_DIR --passphrase-file FILE
#   conformance/run.sh --matrix QUORATE        (the program, like target/release/quorate; with npm, or loudly without)
#   conformance/run.sh --reshares QUORATE              (what Obol and SSV get after a reshare; with npm, or loudly without)
#   conformance/run.sh --duties QUORATE [--epochs N]
#   conformance/run.sh --deposit-contract FILE ...     (deposit files; with npm, or loudly without)
#   conformance/run.sh --exits QUORATE [--count N]     (minutes; run by hand)
#   conformance/run.sh --cut-overs QUORATE [--count N]
#   conformance/run.sh --ssv-directory DIR --owner ADDRESS --nonce N --validators N [--withdrawal ADDRESS]
#   conformance/run.sh --obol-lock cluster-lock.json
#   conformance/run.sh --self-test
#
# Needs Python 3.11 or newer. The first run makes conformance/.venv and fills it from the package index, at the versions pinned in
# conformance/requirements.txt. The last line is "N passed, M failed"; the exit code is 0 if nothing failed, 1 if something did, 2 if
# the command line is wrong.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
venv="$here/.venv"

if ! cmp --silent "$here/requirements.txt" "$venv/requirements.txt"; then
    echo "installing what conformance/requirements.txt names" >&2
    rm -rf "$venv"
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/requirements.txt"
fi

export PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" "$here" "$@"
