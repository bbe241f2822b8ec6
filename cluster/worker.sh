#!/usr/bin/env bash
# Start workers on this machine:  cluster/worker.sh SCHEDULER [WORKERS]
#
# SCHEDULER  the file that cluster/run.sh writes into a folder that all machines share, or an address, tcp://HOST:PORT
# WORKERS    processes on this machine; the default is 1
# INTERFACE  if set, such as eth1: the network to listen on, an inner one, never the internet
# BIN        where dask is; the default is .venv/bin
set -euo pipefail
cd "$(dirname "$0")/.."  # a worker finds the lessons and the tools by the folder that it starts in

if [[ $# -lt 1 || $# -gt 2 ]]; then
  echo "usage: cluster/worker.sh SCHEDULER [WORKERS]" >&2
  exit 2
fi
case $1 in
  *://*) where=("$1") ;;
  *) where=(--scheduler-file "$1") ;;  # it waits until the file is there
esac

# One task at a time: a training has threads of its own. No limit of memory: Dask would count what a lesson's kernel
# does not use. A worker that finds no scheduler for five minutes ends.
exec "${BIN:-.venv/bin}/dask" worker "${where[@]}" ${INTERFACE:+--interface "$INTERFACE"} --nworkers "${2:-1}" --nthreads 1 \
  --memory-limit 0 --no-dashboard --death-timeout 300 --local-directory "${TMPDIR:-/tmp}/reading-faces-dask"
