#!/usr/bin/env bash
# Lessons on machines that you reach with ssh and that share a folder:
#
#   cluster/ssh.sh "anna@lab1 anna@lab2" 06_2 08_3 --seeds 1 2 3 --full
#
# HOSTS      the machines, in one text; this one only gives out the work unless it is named too, as localhost
# EACH       workers a machine; the default is 2
# SHARED     the folder for checkpoints and records, under the same path everywhere; the default is _build/scale
# INTERFACE  if set, such as eth1: the network that all of them listen on, an inner one, never the internet
#
# The course must lie under the same path on all of them. ssh must not ask for a password: use keys and an agent.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ $# -lt 2 ]]; then
  echo 'usage: cluster/ssh.sh "HOST1 HOST2 …" LESSON… [options of tools.scale]' >&2
  exit 2
fi
read -r -a hosts <<<"$1"
shift
shared=${SHARED:-$PWD/_build/scale}
file=$shared/scheduler.json
rm -f "$file"  # of an earlier run: the workers begin before the scheduler

for host in "${hosts[@]}"; do
  # Quoted twice: once for this shell, once for the one at the other end.
  ssh -n -o BatchMode=yes "$host" \
    "$(printf 'cd %q && INTERFACE=%q cluster/worker.sh %q %q' "$PWD" "${INTERFACE:-}" "$file" "${EACH:-2}")" &
done
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
cluster/run.sh "$file" "$((${#hosts[@]} * ${EACH:-2}))" .venv/bin/python -m tools.scale "$@" --on "$file" --into "$shared"
