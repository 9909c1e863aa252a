// A process of the ring's tests: sums an array once a line of standard input, and prints what it got.
import { createInterface } from 'node:readline'
import { joinRing } from './ring.js'

const [rank, size, port, session, length, meetMs] = process.argv.slice(2)
try {
  const ring = await joinRing({
    rank: Number(rank),
    size: Number(size),
    address: '127.0.0.1',
    port: Number(port),
    session,
    meetMs: Number(meetMs),
  })
  console.log('joined')
  for await (const _ of createInterface({ input: process.stdin })) {
    const array = Float32Array.from({ length: Number(length) }, (_, i) => (Number(rank) + 1) * (i + 0.1))
    await ring.sum(array)
    console.log(JSON.stringify(Array.from(array)))
  }
  ring.leave()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
