import { shellQuoted } from './shell-quoted.ts'

/**
 * What the job itself runs, on its first node: it claims the attempt, so that of several jobs of one attempt (a
 * submission whose answer was lost, a requeue) one runs it, and then starts a launcher on every node.
 */
export function jobScript(folder: string, launcher: string, nodeCount: number, cpusPerNode: number): string {
  const start =
    nodeCount === 1
      ? `exec /bin/bash ${shellQuoted(launcher)} "$folder"`
      : `exec srun --nodes=${nodeCount} --ntasks=${nodeCount} --ntasks-per-node=1 --cpus-per-task=${cpusPerNode} ` +
        `--kill-on-bad-exit=1 --wait=0 --mpi=none --input=none ` +
        `/bin/bash ${shellQuoted(launcher)} "$folder"`
  return `#!/bin/bash
folder=${shellQuoted(folder)}
ln -sT "$SLURM_JOB_ID" "$folder/claim" || exit 0
${start}
`
}
