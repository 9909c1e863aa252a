import { expect, test } from 'vitest'
import type { AttemptId, NodeId, OrganisationId, TeamId, UserId, WorkloadId } from '../../base/index.ts'
import { id } from '../../base/index.ts'
import type { LaunchOrder } from '../../control/ports/index.ts'
import { inheritedEnvironment, taskEnvironment } from './task-environment.ts'
import { tasksOf } from './tasks.ts'

const order: LaunchOrder = {
  attempt: id<AttemptId>('w1.2'),
  workload: id<WorkloadId>('w1'),
  number: 2,
  name: 'gpt',
  owner: { organisation: id<OrganisationId>('o'), team: id<TeamId>('o/t'), user: id<UserId>('u') },
  allocation: {
    parts: [
      { node: id<NodeId>('n1'), gpus: [2, 3] },
      { node: id<NodeId>('n2'), gpus: [0, 5] },
    ],
  },
  program: { run: ['true'], env: {}, workdir: '/', tasksPer: 'gpu' },
  needsPort: false,
  replica: 0,
}
const place = {
  worldSize: 4,
  masterAddress: 'n1',
  masterPort: 20_001,
  progressFile: '/p',
  hasGpus: true,
}

test('a task for each GPU has its ranks in the order of the allocation', () => {
  const tasks = tasksOf(order.allocation, 'gpu')
  expect(tasks.map(({ rank, localRank, nodeRank, node }) => [rank, localRank, nodeRank, node])).toEqual([
    [0, 0, 0, 'n1'],
    [1, 1, 0, 'n1'],
    [2, 0, 1, 'n2'],
    [3, 1, 1, 'n2'],
  ])
  expect(taskEnvironment(order, tasks[3]!, place)).toMatchObject({
    RANK: '3',
    LOCAL_RANK: '1',
    WORLD_SIZE: '4',
    LOCAL_WORLD_SIZE: '2',
    NODE_RANK: '1',
    NNODES: '2',
    MASTER_ADDR: 'n1',
    MASTER_PORT: '20001',
    CUDA_VISIBLE_DEVICES: '0,5',
  })
})

test('a task for each node has all its GPUs', () => {
  const tasks = tasksOf(order.allocation, 'node')
  expect(tasks.map(({ rank, localSize, gpus }) => [rank, localSize, gpus])).toEqual([
    [0, 1, [2, 3]],
    [1, 1, [0, 5]],
  ])
})

test('a task on slots sees no GPU', () => {
  const [task] = tasksOf(order.allocation, 'gpu')
  expect(taskEnvironment(order, task!, { ...place, hasGpus: false }).CUDA_VISIBLE_DEVICES).toBe('')
})

test('the user may change what launchers set, but neither the GPUs nor who the task is', () => {
  const env = {
    MASTER_PORT: '7',
    CUDA_VISIBLE_DEVICES: '0,1,2,3,4,5,6,7',
    BANYAN_ATTEMPT_ID: 'w9.9',
    NAME: 'x',
  }
  const [task] = tasksOf(order.allocation, 'gpu')
  const variables = taskEnvironment({ ...order, program: { ...order.program, env } }, task!, place)
  expect(variables).toMatchObject({
    NAME: 'x',
    MASTER_PORT: '7',
    CUDA_VISIBLE_DEVICES: '2,3',
    BANYAN_ATTEMPT_ID: 'w1.2',
  })
})

test('of the server’s own environment only what is no secret is inherited', () => {
  const inherited = inheritedEnvironment({
    PATH: '/bin',
    LC_ALL: 'C',
    DATABASE_URL: 'postgres://x',
    TOKEN: 'y',
  })
  expect(inherited).toEqual({ PATH: '/bin', LC_ALL: 'C' })
})
