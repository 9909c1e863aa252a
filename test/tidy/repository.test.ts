import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadProject } from './project.ts'
import { RULES } from './rules.ts'

const project = loadProject(fileURLToPath(new URL('../..', import.meta.url)))

describe('the repository', () => {
  it.each(Object.entries(RULES))('%s', (_, rule) => {
    expect(rule(project).map(({ path, line, message }) => `${path}:${line} ${message}`)).toEqual([])
  })
})
