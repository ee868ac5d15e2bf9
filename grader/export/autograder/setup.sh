#!/usr/bin/env bash
# Run once by Gradescope, as root, while it builds the image: what the grader needs, in a
# virtual environment of its own. Needs Python 3.11 or newer (Ubuntu 24.04 has 3.12).
set -euo pipefail
cd /autograder/source
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y python3 python3-venv
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  { echo "this image has no Python 3.11; choose a newer base image" >&2; exit 1; }
python3 -m venv /autograder/venv
# PyTorch's builds for the CPU are enough, and much smaller: set PIP_EXTRA_INDEX_URL to their index.
/autograder/venv/bin/pip install -q -r requirements.txt
# What this image can confine, proven by trying: shown in the log of the build.
PYTHONPATH=/autograder/source /autograder/venv/bin/python -m grader doctor || true
