import { SPEC_FIELDS, type SpecField } from './fields.ts'

/** The reference of all fields as Markdown tables: the body of docs/spec.md. */
export function specReference(): string {
  const groups: readonly (readonly [title: string, fields: readonly SpecField[]])[] = [
    ['Every type', SPEC_FIELDS.filter(({ types }) => types.length === 3)],
    ['`train` and `serve`', SPEC_FIELDS.filter(({ types }) => types.length === 2)],
    ...(['train', 'serve', 'machines'] as const).map(
      (type) =>
        [
          `Only \`${type}\``,
          SPEC_FIELDS.filter(({ types }) => types.length === 1 && types[0] === type),
        ] as const,
    ),
  ]
  return groups.map(([title, fields]) => section(title, fields)).join('\n')
}

function section(title: string, fields: readonly SpecField[]): string {
  const rows = fields.map(
    ({ path, takes, absent, meaning }) => `| \`${path}\` | ${takes} | ${absent} | ${meaning} |`,
  )
  return [
    `## ${title}`,
    '',
    '| field | takes | when left out | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}
