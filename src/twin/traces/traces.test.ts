import { describe, expect, it } from 'vitest'
import { DAY_MS, HOUR_MS, randomStream } from '../../base/index.ts'
import { generateTrace } from './generate.ts'
import { knownEpoch, readJobCsv } from './job-csv.ts'
import { clipTrace } from './job-trace.ts'
import { readRequestCsv } from './request-csv.ts'
import { readSacct } from './sacct.ts'

describe('readJobCsv', () => {
  it('[T4] reads jobs in order of submission and counts what cannot be simulated', () => {
    const trace = readJobCsv(
      'job_id,submit_s,gpus,duration_s,tenant,status\nb,20,8,0,"x, y",\na,1.5,2,3600.25,,ok\nc,3,0,5,t,\nd,3,1,,t,\ne,9,0.25,-1,t,\nf,9,0.25,7,t,\n',
    )
    expect(trace).toEqual({
      ok: true,
      value: {
        jobs: [
          { id: 'a', submitMs: 1500, gpus: 2, durationMs: 3600250, tenant: 'nobody' },
          { id: 'f', submitMs: 9000, gpus: 0.25, durationMs: 7000, tenant: 't' },
          { id: 'b', submitMs: 20000, gpus: 8, durationMs: 0, tenant: 'x, y' },
        ],
        skipped: { 'no GPUs asked for': 1, 'no known run time': 2 },
      },
    })
  })

  it('[T4] knows its epoch when its seconds are Unix time', () => {
    expect(readJobCsv('submit_s,gpus,duration_s\n1600000000,1,5')).toMatchObject({
      value: { epochMs: 0, jobs: [{ id: 'row2' }] },
    })
    expect(knownEpoch('philly.csv.gz')).toBe(Date.parse('2017-09-04T10:35:00Z'))
    expect(knownEpoch('mine.csv')).toBeUndefined()
  })

  it.each([
    ['', /line 1: expected the names/],
    [
      'gpus,duration_s\n1,2',
      /no column "submit_s"; it needs submit_s, gpus, duration_s, and the columns are gpus, duration_s/,
    ],
    [
      'submit_s;gpus;duration_s\n1;2;3',
      /line 1: the fields are separated by semicolons; separate them by commas/,
    ],
    ['submit_s,gpus,duration_s\n1,-2,3', /line 2: gpus is -2/],
    ['submit_s,gpus,duration_s\n1,2,3\n1,2', /line 3: 2 fields, but the header names 3/],
    ['submit_s,gpus,duration_s\n1,two,3', /line 2: gpus is "two"/],
  ])('[T4] refuses %j and says where', (text, message) => {
    expect(readJobCsv(text)).toMatchObject({ ok: false, error: expect.stringMatching(message) })
  })

  it('[T4] clips by time of submission', () => {
    const trace = readJobCsv('submit_s,gpus,duration_s\n1,1,1\n2,1,1\n3,1,1')
    expect(trace.ok && clipTrace(trace.value, 2000, 3000).jobs.map(({ submitMs }) => submitMs)).toEqual([
      2000,
    ])
  })
})

describe('readSacct', () => {
  const header = 'JobID|User|Account|Submit|Elapsed|Timelimit|NNodes|ReqTRES|AllocTRES|State\n'

  it('[T4] reads jobs and leaves steps, CPU jobs and jobs that never ran', () => {
    const trace = readSacct(
      `${header}7|ann|lab|2026-01-01T00:00:05|1-02:00:00|2-00:00:00|2|gres/gpu=16|billing=9,gres/gpu=16,gres/gpu:h100=16|COMPLETED
7.batch|||2026-01-01T00:00:05|1-02:00:00||1||cpu=1|COMPLETED
8|bob|lab|2026-01-01T00:00:06|00:10:00|UNLIMITED|1|cpu=4|cpu=4|COMPLETED
9|bob||2026-01-01T00:00:01|00:00:00|01:00:00|1|gres/gpu:h100=4||CANCELLED by 0
10|bob||2026-01-01T00:00:01|00:30:00|Partition_Limit|1|gres/gpu:h100=4||TIMEOUT
`,
    )
    expect(trace).toEqual({
      ok: true,
      value: {
        epochMs: 0,
        skipped: { 'no GPUs asked for': 1, 'never ran': 1 },
        jobs: [
          {
            id: '10',
            submitMs: Date.UTC(2026, 0, 1, 0, 0, 1),
            gpus: 4,
            durationMs: HOUR_MS / 2,
            tenant: 'nobody',
            user: 'bob',
          },
          {
            id: '7',
            submitMs: Date.UTC(2026, 0, 1, 0, 0, 5),
            gpus: 16,
            nodes: 2,
            durationMs: 26 * HOUR_MS,
            limitMs: 48 * HOUR_MS,
            tenant: 'lab',
            user: 'ann',
          },
        ],
      },
    })
  })

  it('[T4] takes fields that end with the separator, raw columns, arrays, and leaves times that Slurm does not know', () => {
    const raw = readSacct(
      'JobIDRaw|Submit|ElapsedRaw|TimelimitRaw|AllocTRES|\n5|1790000000|600|60|gres/gpu=4|\n',
    )
    expect(raw).toMatchObject({
      value: { jobs: [{ id: '5', submitMs: 1_790_000_000_000, durationMs: 600_000, limitMs: HOUR_MS }] },
    })
    const rows = [
      '2_1|u|a|2026-01-01T00:00:00|00:01:00||1|gres/gpu=1||RUNNING',
      '2_[2-40%4]|u|a|2026-01-01T00:00:00|00:00:00||1|gres/gpu=1||PENDING',
      '3+0|u|a|Unknown|00:01:00||1|gres/gpu=1||FAILED',
      '4|u|a|2026-01-01T00:00:00|INVALID||1|gres/gpu=1||FAILED',
    ]
    expect(readSacct(header + rows.join('\n'))).toMatchObject({
      value: { jobs: [{ id: '2_1' }], skipped: { 'never ran': 1, 'times unknown to Slurm': 2 } },
    })
  })

  it('[T4] says which columns it needs and what to run', () => {
    expect(readSacct('JobID      User   Submit\n---- ---- ----\n')).toMatchObject({
      error: expect.stringMatching(/cut short; run: sacct -a -X -P/),
    })
    expect(readSacct('JobID|User\n1|a')).toMatchObject({
      ok: false,
      error: expect.stringMatching(/sacct -a -X -P/),
    })
    expect(readSacct(`${header}7|a|b|yesterday|00:10:00||1|gres/gpu=1||x`)).toMatchObject({
      error: expect.stringMatching(/line 2: Submit is "yesterday"/),
    })
  })
})

describe('readRequestCsv', () => {
  it('[T4] reads requests in order of arrival', () => {
    expect(readRequestCsv('arrival_s,context_tokens,generated_tokens\n4.5,396,109\n0.0,374,44')).toEqual({
      ok: true,
      value: [
        { arrivalMs: 0, contextTokens: 374, generatedTokens: 44 },
        { arrivalMs: 4500, contextTokens: 396, generatedTokens: 109 },
      ],
    })
  })
})

describe('generateTrace', () => {
  const month = () =>
    generateTrace({ shape: 'rsc', gpus: 16_384, load: 0.8, spanMs: 28 * DAY_MS }, randomStream(1, 'jobs'))
      .jobs
  const gpuTime = (jobs: ReturnType<typeof month>) =>
    jobs.reduce((sum, job) => sum + job.gpus * job.durationMs, 0)

  it('[T5] has the load asked for, within the spread of its largest jobs', () => {
    const jobs = month()
    const load = gpuTime(jobs) / (16_384 * 28 * DAY_MS)
    expect(load).toBeGreaterThan(0.74)
    expect(load).toBeLessThan(0.86)
    expect(jobs).toEqual(month())
  })

  it('[T5] has the shares that its source publishes', () => {
    const jobs = month()
    const share = (part: typeof jobs) => part.length / jobs.length
    const small = jobs.filter(({ gpus }) => gpus <= 8)
    expect(share(jobs.filter(({ gpus }) => gpus === 1))).toBeGreaterThan(0.4)
    expect(share(small)).toBeGreaterThan(0.9)
    expect(gpuTime(small) / gpuTime(jobs)).toBeLessThan(0.1)
    const large = gpuTime(jobs.filter(({ gpus }) => gpus >= 256)) / gpuTime(jobs)
    expect(large).toBeGreaterThan(0.58)
    expect(large).toBeLessThan(0.74)
  })
})
