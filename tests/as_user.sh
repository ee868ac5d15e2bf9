#!/usr/bin/env bash
# Runs tests as an ordinary user, from a copy of the checkout that belongs to that user:
#
#     tests/as_user.sh [PYTEST ARGUMENTS…]        default: -q tests/hostile tests/sandbox
#
# Root confines a child by other means than a user does (it changes the child's user, and
# needs no user namespace), so both have to be tried. PYTHON names the interpreter
# (default: .venv/bin/python). Who is no root already runs pytest as he is.
set -euo pipefail
cd "$(dirname "$0")/.."

number=12345
python=${PYTHON:-$PWD/.venv/bin/python}
[ $# -gt 0 ] || set -- -q tests/hostile tests/sandbox

if [ "$(id -u)" != 0 ]; then
  exec "$python" -m pytest "$@"
fi

ordinary() {
  setpriv --reuid=$number --regid=$number --clear-groups --inh-caps=-all --bounding-set=-all "$@"
}

home=$(mktemp -d /tmp/as-user-XXXXXX)
trap 'rm -rf "$home"' EXIT
chmod 755 "$home"

# A venv may rest on an interpreter that only root can reach: then one on the system's, of the
# same version, with the same packages. (A path in the environment would not do: the sandbox's
# processes start without one.)
if ! ordinary env "$python" -c 'import torch, pytest' 2>/dev/null; then
  packages=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  echo "as_user.sh: user $number cannot run $python; taking /usr/bin/python$version" >&2
  "/usr/bin/python$version" -m venv --without-pip "$home/venv" || true
  echo "$packages" >"$home/venv/lib/python$version/site-packages/packages.pth" || true
  python=$home/venv/bin/python
  if ! ordinary env "$python" -c 'import torch, pytest'; then
    echo "as_user.sh: no interpreter with the packages that user $number can run;" \
      "name one: PYTHON=/path/to/python tests/as_user.sh" >&2
    exit 2
  fi
fi

mkdir "$home/copy" "$home/tmp"
tar -c --exclude=./.git --exclude='./.venv*' --exclude=__pycache__ --exclude='./.*cache' --exclude=./.hypothesis . |
  tar -x -C "$home/copy"
chown -R $number:$number "$home"

cd "$home/copy"
ordinary env -i HOME="$home" TMPDIR="$home/tmp" PATH="$PATH" LANG=C.UTF-8 USER=ordinary \
  PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$home/copy" \
  "$python" -m pytest -p no:cacheprovider "$@"
