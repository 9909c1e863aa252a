#!/bin/bash
# Starts and watches the tasks of one attempt on one node: launcher.sh FOLDER, once on each node of the job.
# All that it is told and all that it tells stands in the attempt's folder, which every node and the server see:
#   told:  node-NAME.sh  task-RANK.sh  stop ("SIGNAL GRACE_MS", newest counts)
#   tells: master  up/NODE_RANK ("MS PORT")  exits/RANK ("CODE MS STOPPED")  failed  refused  logs/
# A folder that is gone means that the attempt is over: whatever still runs here must end (the fence).
set -u
folder=$1
poll_seconds=0.25
node=${SLURMD_NODENAME:-$(hostname -s)}
. "$folder/node-$node.sh" || exit 1
fence=$fence/$node_rank
[ -z "${CUDA_VISIBLE_DEVICES+set}" ] || slurm_gpus=$CUDA_VISIBLE_DEVICES

now() { local t=${EPOCHREALTIME/[.,]/}; if [ -n "$t" ]; then echo "${t:0:-3}"; else date +%s%3N; fi; }
put() { printf '%s\n' "$2" >"$1.$node.$BASHPID" && mv -f "$1.$node.$BASHPID" "$1"; }

outside=
trap 'outside=1' TERM INT HUP
stopping=0 order= kill_at=
pids=() cats=()
declare -A ended=() watchers=() dead=()

# Prints the newest order to stop, if there is one.
read_order() {
  local signal grace
  if [ ! -d "$folder" ]; then echo 'KILL 0'
  elif [ -e "$folder/stop" ] && read -r signal grace <"$folder/stop"; then echo "$signal $grace"
  elif [ -e "$folder/failed" ]; then echo 'TERM 5000'
  elif [ -n "$outside" ]; then echo 'TERM 600000'
  fi
}

strays() { grep -lsxzF -- "BANYAN_FENCE=$fence" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3; }
groups_alive() { local p; for p in "${pids[@]}"; do kill -0 -- "-$p" 2>/dev/null && echo "$p"; done; }

send() { # SIGNAL: to every group of a task, and to what carries the fence outside of them
  local p group
  for p in $(groups_alive); do kill -s "$1" -- "-$p" 2>/dev/null; kill -s CONT -- "-$p" 2>/dev/null; done
  for p in $(strays); do
    group=$(cut -d')' -f2 "/proc/$p/stat" 2>/dev/null | cut -d' ' -f4)
    case " ${pids[*]} " in *" ${group:-x} "*) ;; *) kill -s "$1" "$p" 2>/dev/null ;; esac
  done
}

# A later order may ask for another signal and shorten the grace, never lengthen it.
obey() {
  local wanted at
  wanted=$(read_order)
  if [ -n "$wanted" ] && [ "$wanted" != "$order" ]; then
    order=$wanted stopping=1
    send "${order% *}"
    at=$(($(now) + ${order#* }))
    if [ -z "$kill_at" ] || [ "$at" -lt "$kill_at" ]; then kill_at=$at; fi
  fi
  if [ -n "$kill_at" ] && [ "$(now)" -ge "$kill_at" ]; then send KILL; fi
}

never_started() {
  local rank at; at=$(now)
  for rank in "${ranks[@]}"; do put "$folder/exits/$rank" "- $at 1"; done
  exit 0
}

refuse() { put "$folder/refused" "$1"; exit 0; }

taken() { grep -qi ":$(printf %04X "$1") [0-9A-F]*:0000 0A" /proc/net/tcp /proc/net/tcp6 2>/dev/null; }
next_port=$((20000 + (SLURM_JOB_ID * 37 + node_rank * 8) % 11000))
choose_port() { while taken "$next_port"; do next_port=$((next_port + 1)); done; port=$next_port; next_port=$((next_port + 1)); }

[ -z "$(read_order)" ] || never_started
cd -- "$workdir" 2>/dev/null || refuse "user workdir $workdir: $([ -e "$workdir" ] && echo 'cannot be entered' || echo 'does not exist') on $node; create it or correct \`workdir\`"
if [ -n "$checkpoint" ] && ! mkdir -p -- "$checkpoint" 2>/dev/null; then
  refuse "user cannot create the checkpoint folder $checkpoint on $node"
fi

# Task 0 says where the others find it.
if [ "$node_rank" = 0 ]; then choose_port; put "$folder/master" "$address $port"; fi
until [ -e "$folder/master" ]; do
  [ -z "$(read_order)" ] || never_started
  sleep 0.1
done
read -r master_address master_port <"$folder/master"

exec {wake}<> <(:)
for rank in "${ranks[@]}"; do
  exec {out}> >(trap '' TERM INT HUP; exec {wake}>&-; cat >>"$folder/logs/$rank-000000000000.log" || cat >/dev/null)
  cats+=($!)
  task_port=
  if [ "$needs_port" = 1 ]; then choose_port; task_port=$port; [ "$rank" != 0 ] || first_port=$port; fi
  pid_file=$(mktemp)
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
    echo "$pid" >"$pid_file"
    while :; do wait "$pid"; code=$?; kill -0 "$pid" 2>/dev/null || break; done
    echo "$rank $code $(now)" >&"$wake"
  ) &
  watchers[$rank]=$!
  exec {out}>&-
  until [ -s "$pid_file" ]; do sleep 0.005; done
  pids+=("$(<"$pid_file")")
  rm -f "$pid_file"
done
put "$folder/up/$node_rank" "$(now) ${first_port-}"

fail_at=
while [ "${#ended[@]}" -lt "${#ranks[@]}" ]; do
  if read -rt "$poll_seconds" -u "$wake" rank code at; then
    ended[$rank]=1
    put "$folder/exits/$rank" "$code $at $stopping" 2>/dev/null
    if [ "$code" != 0 ] && [ "$stopping" = 0 ] && [ -z "$fail_at" ]; then fail_at=$((at + 250)); fi
    continue
  fi
  # The others may end by themselves for a moment, so that the record shows who failed when.
  if [ -n "$fail_at" ] && [ "$stopping" = 0 ] && [ "$(now)" -ge "$fail_at" ]; then put "$folder/failed" "$node"; fi
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
give_up_at=$(($(now) + 3600000))
while [ -n "$(groups_alive)$(strays)" ]; do
  if [ "$stopping" = 0 ]; then stopping=1; send TERM; kill_at=$(($(now) + 2000)); fi
  obey
  sleep 0.05
  if [ "$(now)" -ge "$kill_at" ] && [ "$give_up_at" -gt "$((kill_at + 10000))" ]; then give_up_at=$((kill_at + 10000)); fi
  # Slurm's own containment ends what is stuck.
  [ "$(now)" -lt "$give_up_at" ] || break
done
# The last output may still be on its way into the logs.
drained_at=$(($(now) + 5000))
for cat in "${cats[@]}"; do
  while kill -0 "$cat" 2>/dev/null && [ "$(now)" -lt "$drained_at" ]; do sleep 0.02; done
done
exit 0
