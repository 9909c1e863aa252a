import type { Finding, Project, Rule } from '../project.ts'
import { roomCalled, roomNameOf } from '../rooms.ts'

const README_LINES = 80
const RULE = /^\s*[-*]?\s*\**\[([A-Z]+\d+[a-z]?)\]/

/** Each room explains itself in a README of a page, and a room of rules states them and tests each by its number. */
export const roomPapers: Rule = (project) => {
  const rooms = new Set(project.modules.flatMap(({ path }) => roomNameOf(path) ?? []))
  return [...rooms].flatMap((room) => [...readmeFindings(project, room), ...specFindings(project, room)])
}

function readmeFindings({ texts }: Project, room: string): Finding[] {
  const path = `src/${room}/README.md`
  const text = texts.get(path)
  if (text === undefined) {
    return [
      {
        path,
        line: 1,
        message: 'the room has no README.md; say its purpose, its parts and what it may import',
      },
    ]
  }
  const lines = text.split('\n').length - 1
  const message = `${lines} lines (at most ${README_LINES}, a page); keep what a newcomer needs first`
  return lines <= README_LINES ? [] : [{ path, line: README_LINES, message }]
}

function specFindings({ texts, modules }: Project, room: string): Finding[] {
  if (!roomCalled(room)?.spec) return []
  const path = `src/${room}/SPEC.md`
  const text = texts.get(path)
  if (text === undefined)
    return [
      { path, line: 1, message: 'the room has no SPEC.md; state its rules, one sentence each: `- [X1] ...`' },
    ]
  const tests = modules.filter((module) => module.path.endsWith('.test.ts')).map((module) => module.text)
  const seen = new Set<string>()
  return text.split('\n').flatMap((line, index) => {
    const rule = RULE.exec(line)?.[1]
    if (rule === undefined) return []
    const isTaken = seen.has(rule)
    seen.add(rule)
    if (isTaken)
      return [{ path, line: index + 1, message: `[${rule}] is another rule's number; take the next one` }]
    if (tests.some((test) => test.includes(`[${rule}]`))) return []
    return [
      { path, line: index + 1, message: `no test is named after rule [${rule}]; name one '[${rule}] ...'` },
    ]
  })
}
