import type { Rejection } from '../effect.ts'

/** What people may name things: names stand in addresses, queue ids and commands. */
export const NAME = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/

export function badName(noun: string, name: string): Rejection {
  return {
    code: 'invalid-name',
    message: `"${name}" cannot name a ${noun}: use 1 to 63 lower-case letters, digits, ".", "_" or "-", beginning and ending with a letter or digit.`,
  }
}
