import { assert } from '../base/index.ts'

/**
 * Items in a total order, each once. Taking the first and adding a last one, which is nearly all that happens to a
 * line, cost the same however long it is; elsewhere it is a search, and a move of what stands behind.
 */
export class OrderedList<Item> {
  /** Those before `first` were taken; they are swept out when they are half of all. */
  private readonly items: Item[] = []
  private first = 0
  private readonly compare: (a: Item, b: Item) => number

  constructor(compare: (a: Item, b: Item) => number) {
    this.compare = compare
  }

  get length(): number {
    return this.items.length - this.first
  }

  at(index: number): Item | undefined {
    return this.items[this.first + index]
  }

  insert(item: Item): void {
    const { items, length } = this
    if (length === 0 || this.compare(items[items.length - 1]!, item) < 0) items.push(item)
    else items.splice(this.first + this.placeOf(item), 0, item)
  }

  take(item: Item): void {
    const { items } = this
    const at = this.at(0) === item ? 0 : this.placeOf(item)
    assert(this.at(at) === item, 'an ordered list lost its order')
    if (at > 0) items.splice(this.first + at, 1)
    else if (++this.first * 2 >= items.length) {
      items.splice(0, this.first)
      this.first = 0
    }
  }

  /** How many stand before the item, which need not be one of them. */
  placeOf(item: Item): number {
    let low = 0
    let high = this.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.compare(this.at(middle)!, item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  *[Symbol.iterator](): Generator<Item> {
    for (let i = 0; i < this.length; i++) yield this.at(i)!
  }
}
