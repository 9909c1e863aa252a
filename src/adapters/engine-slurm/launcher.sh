#!/bin/bash
# Starts and watches the tasks of one attempt on one node: launcher.sh FOLDER, once on each node of the job.
# All that it is told and all that it tells stands in the attempt's folder, which every node and the server see:
#   told:  node-NAME.sh  task-RANK.sh  stop ("SIGNAL GRACE_MS", newest counts)
#   tells: master  up/NODE_RANK ("MS PORT")  exits/RANK ("CODE MS STOPPED")  over/NODE_RANK ("MS")  failed  refused  logs/
# and an empty file of the attempt's name in `news`, so that the server need not look into every folder. What it tells
# is written in one call and ends with a line's end; without one it is not there yet.
# A folder that is gone means that the attempt is over: whatever still runs here must end (the fence).
# Every process that is forked here costs each job of the machine its time: builtins serve where they can.
set -u
folder=$1
poll_seconds=0.25
node=${SLURMD_NODENAME:-$(hostname -s)}
. "$folder/node-$node.sh" || exit 1
fence=$fence/$node_rank
[ -z "${CUDA_VISIBLE_DEVICES+set}" ] || slurm_gpus=$CUDA_VISIBLE_DEVICES

# Sets `now`, in milliseconds.
clock() { now=${EPOCHREALTIME/[.,]/}; if [ -n "$now" ]; then now=${now:0:-3}; else now=$(date +%s%3N); fi; }
put() { printf '%s\n' "$2" 2>/dev/null >"$1"; }
announce() { : 2>/dev/null >"$news"; }

outside=
trap 'outside=1' TERM INT HUP
stopping=0 order= kill_at=
pids=() writers=0
declare -A ended=() watchers=() dead=()

# Sets `wanted` to the newest order to stop, or to nothing.
read_order() {
  local signal grace
  wanted=
  if [ ! -d "$folder" ]; then wanted='KILL 0'
  elif [ -e "$folder/stop" ] && read -r signal grace <"$folder/stop"; then wanted="$signal $grace"
  elif [ -e "$folder/failed" ]; then wanted='TERM 5000'
  elif [ -n "$outside" ]; then wanted='TERM 600000'
  fi
}

# Sets `alive` to the groups of tasks that have processes, and `strays` to what carries the fence.
look_around() {
  local p
  alive=() strays=()
  for p in "${pids[@]}"; do if kill -0 -- "-$p" 2>/dev/null; then alive+=("$p"); fi; done
  for p in $(grep -lsxzF -- "BANYAN_FENCE=$fence" /proc/[0-9]*/environ 2>/dev/null); do
    p=${p#/proc/}
    strays+=("${p%/environ}")
  done
}

send() { # SIGNAL: to every group of a task, and to what carries the fence outside of them
  local p stat
  look_around
  for p in "${alive[@]}"; do kill -s "$1" -- "-$p" 2>/dev/null; kill -s CONT -- "-$p" 2>/dev/null; done
  for p in "${strays[@]}"; do
    { read -r stat <"/proc/$p/stat"; } 2>/dev/null || continue
    read -r _ _ group _ <<<"${stat##*) }"
    case " ${pids[*]} " in *" $group "*) ;; *) kill -s "$1" "$p" 2>/dev/null ;; esac
  done
}

# A later order may ask for another signal and shorten the grace, never lengthen it.
obey() {
  local at
  read_order
  clock
  if [ -n "$wanted" ] && [ "$wanted" != "$order" ]; then
    order=$wanted stopping=1
    send "${order% *}"
    at=$((now + ${order#* }))
    if [ -z "$kill_at" ] || [ "$at" -lt "$kill_at" ]; then kill_at=$at; fi
  fi
  if [ -n "$kill_at" ] && [ "$now" -ge "$kill_at" ]; then send KILL; fi
}

leave() { clock; put "$folder/over/$node_rank" "$now"; announce; exit 0; }

leave_if_told() {
  local rank
  read_order
  [ -n "$wanted" ] || return 0
  clock
  for rank in "${ranks[@]}"; do put "$folder/exits/$rank" "- $now 1"; done
  leave
}

refuse() { put "$folder/refused" "$1"; leave; }

taken() {
  local file sockets port
  printf -v port ':%04X [0-9A-F]+:0000 0A' "$1"
  for file in /proc/net/tcp /proc/net/tcp6; do
    { mapfile -t sockets <"$file"; } 2>/dev/null || continue
    [[ ${sockets[*]} =~ $port ]] && return 0
  done
  return 1
}
next_port=$((20000 + (SLURM_JOB_ID * 37 + node_rank * 8) % 11000))
choose_port() { while taken "$next_port"; do next_port=$((next_port + 1)); done; port=$next_port; next_port=$((next_port + 1)); }

# Keeps what comes in: segments named by the offset of their first byte, of which the first and the newest stay.
write_log() { # RANK
  local offset=0 name size kept=()
  while :; do
    printf -v name '%s/logs/%d-%012d.log' "$folder" "$1" "$offset"
    stdbuf -o0 head -c "$log_segment" 2>/dev/null >"$name" || { cat >/dev/null; return; }
    size=$(stat -c %s "$name" 2>/dev/null) || { cat >/dev/null; return; }
    if [ "$size" -lt "$log_segment" ]; then
      if [ "$size" = 0 ] && [ "$offset" -gt 0 ]; then rm -f "$name"; fi
      return
    fi
    offset=$((offset + size))
    kept+=("$name")
    if [ "${#kept[@]}" -ge "$log_segments" ]; then
      rm -f "${kept[1]}"
      kept=("${kept[0]}" "${kept[@]:2}")
    fi
  done
}

leave_if_told
cd -- "$workdir" 2>/dev/null || refuse "user workdir $workdir: $([ -e "$workdir" ] && echo 'cannot be entered' || echo 'does not exist') on $node; create it or correct \`workdir\`"
if [ -n "$checkpoint" ] && [ ! -d "$checkpoint" ] && ! mkdir -p -- "$checkpoint" 2>/dev/null; then
  refuse "user cannot create the checkpoint folder $checkpoint on $node"
fi

# Task 0 says where the others find it.
if [ "$node_rank" = 0 ]; then choose_port; put "$folder/master" "$address $port"; fi
until { read -r master_address master_port <"$folder/master"; } 2>/dev/null; do
  leave_if_told
  sleep 0.05
done

# Watchers and log writers tell of their task by a pipe: "RANK is PID", "RANK CODE MS", "RANK logged".
exec {wake}<> <(:)
heard=
hear() { # waits so many seconds for one word
  local part
  # The time may run out in the middle of a line.
  if ! IFS= read -rt "$1" -u "$wake" part; then heard+=$part; return 1; fi
  set -- $heard$part
  heard=
  case $2 in
    is) pids[$1]=$3 ;;
    logged) writers=$((writers - 1)) ;;
    *)
      ended[$1]=1
      put "$folder/exits/$1" "$2 $3 $stopping"
      if [ "$2" != 0 ] && [ "$stopping" = 0 ] && [ -z "$fail_at" ]; then fail_at=$(($3 + 250)); fi
      ;;
  esac
}

fail_at=
for rank in "${ranks[@]}"; do
  exec {out}> >(trap '' TERM INT HUP; write_log "$rank"; echo "$rank logged" >&"$wake")
  writers=$((writers + 1))
  task_port=
  if [ "$needs_port" = 1 ]; then choose_port; task_port=$port; [ "$rank" != 0 ] || first_port=$port; fi
  (
    # Handlers, not ignored signals: those would reach the task.
    trap : TERM INT HUP
    (
      exec {wake}>&-
      . "$folder/task-$rank.sh"
      export MASTER_ADDR=$master_address MASTER_PORT=$master_port BANYAN_FENCE=$fence
      [ -z "$task_port" ] || export PORT=$task_port
      # What Slurm gave the job counts: under cgroups its GPUs may be numbered anew.
      export CUDA_VISIBLE_DEVICES=${slurm_gpus-${CUDA_VISIBLE_DEVICES-}}
      exec setsid "${command[@]}" </dev/null >&"$out" 2>&1 {out}>&-
    ) &
    pid=$!
    exec {out}>&-
    echo "$rank is $pid" >&"$wake"
    while :; do wait "$pid"; code=$?; kill -0 "$pid" 2>/dev/null || break; done
    clock
    echo "$rank $code $now" >&"$wake"
  ) &
  watchers[$rank]=$!
  exec {out}>&-
done
while [ "${#pids[@]}" -lt "${#ranks[@]}" ]; do hear 10; done
clock
put "$folder/up/$node_rank" "$now ${first_port-}"
announce

while [ "${#ended[@]}" -lt "${#ranks[@]}" ]; do
  if hear "$poll_seconds"; then continue; fi
  clock
  # The others may end by themselves for a moment, so that the record shows who failed when.
  if [ -n "$fail_at" ] && [ "$stopping" = 0 ] && [ "$now" -ge "$fail_at" ]; then put "$folder/failed" "$node"; fi
  obey
  # One whose watcher was killed is over unseen; what it said before it was killed is read first.
  for rank in "${ranks[@]}"; do
    [ -z "${ended[$rank]-}" ] || continue
    [ -z "${dead[$rank]-}" ] || ended[$rank]=1
    kill -0 "${watchers[$rank]}" 2>/dev/null || dead[$rank]=1
  done
done
if [ -n "$fail_at" ] && [ "$stopping" = 0 ] && [ "$node_count" -gt 1 ]; then put "$folder/failed" "$node"; fi

# What the tasks left running behind them.
clock
give_up_at=$((now + 3600000))
while look_around; [ "$((${#alive[@]} + ${#strays[@]}))" -gt 0 ]; do
  if [ "$stopping" = 0 ]; then stopping=1; send TERM; kill_at=$((now + 2000)); fi
  obey
  sleep 0.05
  if [ "$now" -ge "$kill_at" ] && [ "$give_up_at" -gt "$((kill_at + 10000))" ]; then give_up_at=$((kill_at + 10000)); fi
  # Slurm's own containment ends what is stuck; that the attempt is over is not said before.
  [ "$now" -lt "$give_up_at" ] || exit 0
done
# The last output may still be on its way into the logs.
drained_at=$((now + 5000))
while [ "$writers" -gt 0 ] && [ "$now" -lt "$drained_at" ]; do hear 1; clock; done
leave
