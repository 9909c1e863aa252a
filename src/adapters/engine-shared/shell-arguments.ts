/**
 * Arguments of `/bin/sh` that run the items one after another in one shell, so that `cd` and `export` hold for what
 * follows; the first that fails ends it.
 */
export function shellArguments(run: readonly string[]): string[] {
  const [only] = run
  if (run.length === 1 && only !== undefined) return ['-c', only]
  return ['-c', 'for command do eval "$command" || exit; done', 'sh', ...run]
}
