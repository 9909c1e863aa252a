import { ok, type Result, refuse, type TimeMs } from '../../base/index.ts'
import { columnOf, noColumn, readTable } from './table.ts'

/** One request to a served model. */
export interface InferenceRequest {
  readonly arrivalMs: TimeMs
  readonly contextTokens: number
  readonly generatedTokens: number
}

/** The requests of a CSV with arrival_s, context_tokens and generated_tokens (Azure's LLM inference traces), in order of arrival. */
export function readRequestCsv(text: string): Result<readonly InferenceRequest[], string> {
  const table = readTable(text, ',')
  if (!table.ok) return table
  const names = ['arrival_s', 'context_tokens', 'generated_tokens'] as const
  const columns = names.map((name) => columnOf(table.value, name))
  const missing = columns.indexOf(-1)
  if (missing >= 0) return refuse(noColumn(table.value, names[missing]!, names))
  const requests: InferenceRequest[] = []
  for (const row of table.value.rows) {
    const [arrival, context, generated] = columns.map((column) => Number(row.cells[column]))
    if (!(arrival! >= 0) || !(context! >= 0) || !(generated! >= 0))
      return refuse(`line ${row.line}: expected three numbers from 0, found ${row.cells.join(', ')}`)
    requests.push({
      arrivalMs: Math.round(arrival! * 1000),
      contextTokens: context!,
      generatedTokens: generated!,
    })
  }
  return ok(requests.sort((a, b) => a.arrivalMs - b.arrivalMs))
}
