import { existsSync, readFileSync } from 'node:fs'

/** One line that a task wrote: what happened, to which attempt and rank, in which process. */
export interface JournalEntry {
  readonly kind: 'start' | 'end' | 'overlap'
  readonly attempt: string
  readonly rank: number
  readonly pid: number
}

/**
 * Shell for a task that appends (O_APPEND, one write) to the journal at its start and its end, and looks at its start
 * whether another attempt of the same workload still runs. Beside the journal, `JOURNAL.d/WORKLOAD.RANK` holds who runs.
 */
export function journalled(journal: string, work: string): string {
  return `
say() { echo "$1 $BANYAN_ATTEMPT_ID $RANK $$" >> '${journal}'; }
mine='${journal}.d/'$BANYAN_WORKLOAD_ID.$RANK
if [ -e "$mine" ] && kill -0 "$(cat "$mine")" 2>/dev/null; then say overlap; fi
echo $$ > "$mine"
say start
trap 'say end; rm -f "$mine"; exit 143' TERM
${work}
code=$?
say end
rm -f "$mine"
exit $code`
}

export function readJournal(journal: string): JournalEntry[] {
  if (!existsSync(journal)) return []
  return readFileSync(journal, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [kind, attempt = '', rank, pid] = line.split(' ')
      return { kind: kind as JournalEntry['kind'], attempt, rank: Number(rank), pid: Number(pid) }
    })
}

/** Every task that ran twice, and every attempt that ran beside another of its workload. */
export function journalFaults(journal: string): string[] {
  const faults: string[] = []
  const started = new Set<string>()
  for (const { kind, attempt, rank } of readJournal(journal)) {
    const task = `${attempt} rank ${rank}`
    if (kind === 'overlap') faults.push(`${task} started while another attempt of its workload ran`)
    if (kind !== 'start') continue
    if (started.has(task)) faults.push(`${task} was started twice`)
    started.add(task)
  }
  return faults
}
