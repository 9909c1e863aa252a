import { expect, test } from 'vitest'
import { csvOf } from './export.ts'

test('CSV quotes what would break a row, and defuses what a spreadsheet would run', () => {
  expect(
    csvOf(
      ['a', 'b'],
      [
        ['x,"y"', 1.5],
        ['=1+1', -2],
        ['two\nlines', 0],
      ],
    ),
  ).toBe('a,b\r\n"x,""y""",1.5\r\n\'=1+1,-2\r\n"two\nlines",0\r\n')
})
