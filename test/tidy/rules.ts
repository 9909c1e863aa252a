import type { Rule } from './project.ts'
import { dependencyLines, lockfile } from './rules/dependencies.ts'
import { fileNames } from './rules/file-names.ts'
import { fileSize } from './rules/file-size.ts'
import { importCycles } from './rules/import-cycles.ts'
import { leftovers } from './rules/leftovers.ts'
import { places } from './rules/places.ts'
import { purity } from './rules/purity.ts'
import { roomImports } from './rules/room-imports.ts'
import { roomPapers } from './rules/room-papers.ts'
import { syntaxErrors } from './rules/syntax-errors.ts'

/** Every rule of the house, by the sentence that it enforces. */
export const RULES: Readonly<Record<string, Rule>> = {
  'every file parses': syntaxErrors,
  'rooms import only downwards, and only their packages': roomImports,
  'pure rooms have no clock, chance, host, locale or async': purity,
  'no file imports itself by a detour': importCycles,
  'file names are kebab-case nouns': fileNames,
  'files have at most 400 lines': fileSize,
  'rooms have their README and SPEC, and rules have tests': roomPapers,
  'nothing is put off in a comment': leftovers,
  'dependencies are pinned and explained': dependencyLines,
  'the lockfile names no host and users run no install script': lockfile,
  'no file names a machine or a registry': places,
}
