import { z } from 'zod'
import { type Contract, json } from '../contract.ts'
import { bill, priceList, prices } from '../wire/bill.ts'
import { timeMs } from '../wire/primitives.ts'
import { USAGE_GROUPS } from '../wire/usage-summary.ts'

const read = { scope: 'cluster', role: 'viewer' } as const

const period = {
  from: timeMs().optional().describe('milliseconds since the Unix epoch; 30 days before `to` when left out'),
  to: timeMs().optional().describe('milliseconds since the Unix epoch; now when left out'),
  by: z.enum(USAGE_GROUPS).default('team'),
}

export const billRoutes = {
  getBill: {
    method: 'GET',
    path: '/v1/bill',
    tag: 'bill',
    summary: 'GPU time and money of a period, and what was wasted',
    description: "Members see their own and their teams', admins their organisation's, operators all.",
    access: read,
    query: z.object({ ...period, limit: z.int().min(1).max(10_000).default(500).describe('rows at most') }),
    statuses: [200],
    produces: json(bill),
    problems: [],
  },
  exportBill: {
    method: 'GET',
    path: '/v1/bill/export',
    tag: 'bill',
    summary: 'The same with every row, as CSV',
    access: read,
    query: z.object(period),
    statuses: [200],
    produces: { kind: 'text', mediaType: 'text/csv; charset=utf-8' },
    problems: [],
  },
  getPrices: {
    method: 'GET',
    path: '/v1/prices',
    tag: 'bill',
    summary: 'What GPU-hours cost',
    access: read,
    statuses: [200],
    produces: json(prices),
    problems: [],
  },
  setPrices: {
    method: 'PUT',
    path: '/v1/prices',
    tag: 'bill',
    summary: 'Set what GPU-hours cost from a time on',
    access: { scope: 'cluster', role: 'operator' },
    body: priceList,
    statuses: [200],
    produces: json(prices),
    problems: ['storage-full', 'unavailable'],
  },
} as const satisfies Record<string, Contract>
