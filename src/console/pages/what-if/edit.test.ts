import { expect, test } from 'vitest'
import { type Edit, editOf, editsOf, textOf, whatIfPath } from './edit.ts'

const EDITS: readonly Edit[] = [
  editOf('add-nodes', '32', '', ''),
  editOf('remove-nodes', 'node-1, node-2', '', ''),
  editOf('raise', 'w7', 'high', ''),
  editOf('guarantee', 'atlas', '', '64'),
  { kind: 'submit', spec: 'type: train\nname: a & b\n', team: 'atlas/climate' },
]

test('changes come back out of the address of their trial', () => {
  const written = new URLSearchParams(whatIfPath(EDITS).split('?')[1]).get('edits') ?? ''
  expect(editsOf(written)).toEqual(EDITS)
})

test.each(['', 'x', '{}', '[{"kind":"remove-nodes"}]', '[{"kind":"explode"}]'])(
  'an address that has been tampered with has none: %j',
  (written) => expect(editsOf(written)).toEqual([]),
)

test('each is told in words', () => {
  expect(EDITS.map(textOf)).toEqual([
    '32 nodes more',
    'without node-1, node-2',
    'w7 has priority high',
    'atlas is guaranteed 64 GPUs',
    'the spec is submitted',
  ])
})
