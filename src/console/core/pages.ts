import type { ComponentType } from 'preact'
import { ROLES, type Role } from '../../model/tenancy.ts'
import type { IconName } from '../parts/icon.tsx'

/** One page: where it stands, the key after `g` that leads there, and its code, which is loaded when it is first shown. */
export interface Page {
  readonly path: string
  readonly title: string
  readonly icon: IconName
  readonly key: string
  /** The least role that can do anything there. */
  readonly role?: Role
  readonly load: () => Promise<ComponentType<{ readonly id: string }>>
}

/** In the order of the navigation. A path below a page's own (`/workloads/w12`) is shown by that page, with the rest as its id. */
const PAGES: readonly Page[] = [
  {
    path: '/machine',
    title: 'Machine',
    icon: 'machine',
    key: 'm',
    load: async () => (await import('../pages/machine/machine-page.tsx')).MachinePage,
  },
  {
    path: '/queue',
    title: 'Queue',
    icon: 'queue',
    key: 'q',
    load: async () => (await import('../pages/queue/queue-page.tsx')).QueuePage,
  },
  {
    path: '/workloads',
    title: 'Workloads',
    icon: 'workloads',
    key: 'l',
    load: async () => (await import('../pages/workloads/workloads-page.tsx')).WorkloadsPage,
  },
  {
    path: '/submit',
    title: 'Submit',
    icon: 'submit',
    key: 's',
    role: 'member',
    load: async () => (await import('../pages/submit/submit-page.tsx')).SubmitPage,
  },
  {
    path: '/models',
    title: 'Models',
    icon: 'chat',
    key: 'o',
    load: async () => (await import('../pages/models/models-page.tsx')).ModelsPage,
  },
  {
    path: '/queues',
    title: 'Shares',
    icon: 'tree',
    key: 'p',
    load: async () => (await import('../pages/queues/queues-page.tsx')).QueuesPage,
  },
  {
    path: '/reservations',
    title: 'Reservations',
    icon: 'calendar',
    key: 'r',
    load: async () => (await import('../pages/reservations/reservations-page.tsx')).ReservationsPage,
  },
  {
    path: '/what-if',
    title: 'What if',
    icon: 'compare',
    key: 'w',
    role: 'member',
    load: async () => (await import('../pages/what-if/what-if-page.tsx')).WhatIfPage,
  },
  {
    path: '/plan',
    title: 'Plan',
    icon: 'plan',
    key: 'n',
    load: async () => (await import('../pages/plan/plan-page.tsx')).PlanPage,
  },
  {
    path: '/bill',
    title: 'Bill',
    icon: 'bill',
    key: 'b',
    load: async () => (await import('../pages/bill/bill-page.tsx')).BillPage,
  },
  {
    path: '/audit',
    title: 'Audit',
    icon: 'audit',
    key: 'a',
    load: async () => (await import('../pages/audit/audit-page.tsx')).AuditPage,
  },
]

/** The pages that somebody of this role can do something on. */
export function pagesFor(reader: Role): readonly Page[] {
  return PAGES.filter(({ role = 'viewer' }) => ROLES.indexOf(reader) <= ROLES.indexOf(role))
}

export const FIRST_PAGE = '/machine'

/** The page that shows this path, and the id that follows its own path. */
export function pageAt(path: string): { readonly page: Page; readonly id: string } | undefined {
  const page = PAGES.find((each) => path === each.path || path.startsWith(`${each.path}/`))
  return page && { page, id: decodeURIComponent(path.slice(page.path.length + 1)) }
}
