/** A number rounded to a whole one, with a comma at each thousand: the same on every machine. */
export function thousands(value: number): string {
  return Math.round(value)
    .toFixed(0)
    .replace(/\B(?=(\d{3})+$)/g, ',')
}
