#!/usr/bin/env bash
# Start a scheduler, wait for workers, run a command, and end the scheduler:  cluster/run.sh FILE WORKERS COMMAND…
#
# FILE       where the scheduler writes its address, in a folder that all machines share
# WORKERS    how many must be there before the command begins; more may come later
# INTERFACE  if set, such as eth1: the network to listen on, an inner one, never the internet
# BIN        where dask and python are; the default is .venv/bin
#
# Its exit status is the command's. The workers end by themselves once the scheduler is gone.
set -euo pipefail

if [[ $# -lt 3 ]]; then
  echo "usage: cluster/run.sh FILE WORKERS COMMAND…" >&2
  exit 2
fi
file=$1 workers=$2
shift 2
bin=${BIN:-.venv/bin}

mkdir -p "$(dirname "$file")"
rm -f "$file"  # of an earlier scheduler: workers would wait for an address where nobody is
# Any free port. The dashboard is for this machine alone; look at it through ssh -L.
"$bin/dask" scheduler --scheduler-file "$file" ${INTERFACE:+--interface "$INTERFACE"} --port 0 --dashboard-address 127.0.0.1:0 &
scheduler=$!
trap 'kill "$scheduler" 2>/dev/null || true; rm -f "$file"' EXIT

# Bash would take note of a signal only when what runs in front has ended, so it runs behind, in a group of its own.
set -m
running=
run() {
  "$@" &
  running=$!
  wait "$running"
}
stop() {
  [[ -z $running ]] || kill -INT -- "-$running" 2>/dev/null || true
  [[ -z $running ]] || wait "$running" 2>/dev/null || true  # it may still write
  exit "$1"
}
trap 'stop 130' INT
trap 'stop 143' TERM

until [[ -s $file ]]; do
  kill -0 "$scheduler" 2>/dev/null || { echo "cluster/run.sh: the scheduler ended; see above" >&2; exit 1; }
  sleep 0.2
done
run "$bin/python" - "$file" "$workers" <<'PYTHON'
import sys

from distributed import Client

file, workers = sys.argv[1], int(sys.argv[2])
with Client(scheduler_file=file) as client:
    try:
        client.wait_for_workers(workers, timeout=600)
    except TimeoutError:
        found = len(client.scheduler_info(n_workers=-1)["workers"])
        sys.exit(f"cluster/run.sh: {found} of {workers} workers came in ten minutes: look at their logs")
PYTHON
run "$@"
