import { ok, type Result, refuse } from './result.ts'

const SUFFIXES: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, b: 1e9, g: 1e9, t: 1e12 }

/** The number above 0 that a text such as `15T`, `300B`, `2.5e12` or `$1,200,000` means. */
export function parseAmount(text: string): Result<number, string> {
  const match = /^\$?([\d.,]+(?:e[+-]?\d+)?)\s*([kmbgt])?$/i.exec(text.trim())
  const value = match
    ? Number(match[1]!.replaceAll(',', '')) * (SUFFIXES[match[2]?.toLowerCase() ?? ''] ?? 1)
    : Number.NaN
  if (value > 0 && Number.isFinite(value)) return ok(value)
  return refuse(`"${text}" is no number above 0; write for example 300B, 15T or 2.5e12`)
}
