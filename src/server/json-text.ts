const texts = new WeakMap<object, string>()

/**
 * The JSON text of an answer. The text of a frozen value, or of a frozen item of a page, is kept as long as the value
 * is: it cannot become another, and the same finished workloads are on most pages.
 */
export function jsonText(answer: unknown): string {
  if (!isPage(answer)) return textOf(answer)
  const { items, ...rest } = answer
  const more = JSON.stringify(rest)
  return `{"items":[${items.map(textOf).join(',')}]${more === '{}' ? '}' : `,${more.slice(1)}`}`
}

function isPage(value: unknown): value is { readonly items: readonly unknown[] } {
  return typeof value === 'object' && value !== null && 'items' in value && Array.isArray(value.items)
}

function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || !Object.isFrozen(value)) return JSON.stringify(value)
  const kept = texts.get(value)
  if (kept !== undefined) return kept
  const text = JSON.stringify(value)
  texts.set(value, text)
  return text
}
