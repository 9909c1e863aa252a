import { type Contract, json } from '../contract.ts'
import { plan, planRequest, planSubjects, servingPlan, servingPlanRequest } from '../wire/plan.ts'

const read = { scope: 'cluster', role: 'viewer' } as const

export const planningRoutes = {
  planTraining: {
    method: 'POST',
    path: '/v1/plan',
    tag: 'planning',
    summary: 'What a training run takes, and the best way to spread it; nothing is submitted',
    description: 'Plans for the live cluster unless `cluster` or `gpu` names another machine.',
    access: read,
    body: planRequest,
    statuses: [200],
    produces: json(plan),
    problems: ['unsatisfiable'],
  },
  planServing: {
    method: 'POST',
    path: '/v1/plan/serving',
    tag: 'planning',
    summary: 'What serving a model takes; nothing is submitted',
    description: 'Plans for GPUs of the live cluster unless `cluster` or `gpu` names others.',
    access: read,
    body: servingPlanRequest,
    statuses: [200],
    produces: json(servingPlan),
    problems: ['unsatisfiable'],
  },
  listPlanSubjects: {
    method: 'GET',
    path: '/v1/plan/subjects',
    tag: 'planning',
    summary: 'Models, GPUs, clusters and training software that can be planned for by name',
    access: read,
    statuses: [200],
    produces: json(planSubjects),
    problems: [],
  },
} as const satisfies Record<string, Contract>
