import { readFileSync, writeFileSync } from 'node:fs'
import { specReference } from '../src/model/spec/index.ts'

/** Writes the tables of docs/spec.md anew from the parser's own table of fields; what stands above them stays. */
const path = new URL('../docs/spec.md', import.meta.url)
const text = readFileSync(path, 'utf8')
writeFileSync(path, text.slice(0, text.indexOf('## Every type')) + specReference())
