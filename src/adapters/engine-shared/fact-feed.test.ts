import { describe, expect, test } from 'vitest'
import { id, type NodeId } from '../../base/index.ts'
import type { EngineFact } from '../../control/ports/index.ts'
import { FactFeed } from './fact-feed.ts'

const whole: EngineFact = aFact('whole')
const { signal } = new AbortController()

function aFact(node: string): EngineFact {
  return { kind: 'node-up', node: id<NodeId>(node), at: 0 }
}

function aFeed(name = 'feed'): FactFeed {
  return new FactFeed(name, () => [whole])
}

describe('an observer', () => {
  test('without a cursor, or with one of another feed, gets the whole picture', async () => {
    for (const cursor of [undefined, 'other:0', 'feed:7', 'feed:x', '']) {
      expect(await aFeed().observe(cursor, signal, 0)).toEqual({
        facts: [whole],
        cursor: 'feed:0',
        complete: true,
      })
    }
  })

  test('with a cursor gets what came after it, as often as it asks', async () => {
    const feed = aFeed()
    const { cursor } = await feed.observe(undefined, signal, 0)
    feed.publish(aFact('a'))
    feed.publish(aFact('b'), aFact('c'))
    const seen = await feed.observe(cursor, signal, 0)
    expect(seen.facts).toEqual([aFact('a'), aFact('b'), aFact('c')])
    expect(await feed.observe(cursor, signal, 0)).toEqual(seen)
    expect(await feed.observe(seen.cursor, signal, 0)).toMatchObject({ facts: [], complete: false })
  })

  test('waits for what happens next', async () => {
    const feed = aFeed()
    const waiting = feed.observe('feed:0', signal, 60_000)
    feed.publish(aFact('a'))
    expect((await waiting).facts).toEqual([aFact('a')])
  })

  test('is sent home when it leaves or the feed closes', async () => {
    const leaving = new AbortController()
    const feed = aFeed()
    const first = feed.observe('feed:0', leaving.signal, 60_000)
    const second = feed.observe('feed:0', signal, 60_000)
    leaving.abort()
    expect(await first).toMatchObject({ facts: [], complete: false })
    feed.close()
    expect(await second).toMatchObject({ facts: [], complete: false })
    expect(await feed.observe('feed:0', signal, 60_000)).toMatchObject({ facts: [] })
  })

  test('that stayed away too long gets the whole picture again', async () => {
    const feed = aFeed()
    feed.publish(...Array.from({ length: 30_000 }, () => aFact('a')))
    expect((await feed.observe('feed:0', signal, 0)).complete).toBe(true)
    expect((await feed.observe('feed:29999', signal, 0)).facts).toEqual([aFact('a')])
  })
})
