import type { ComponentType } from 'preact'
import type { IconName } from '../parts/icon.tsx'

/** One page: where it stands, the key after `g` that leads there, and its code, which is loaded when it is first shown. */
export interface Page {
  readonly path: string
  readonly title: string
  readonly icon: IconName
  readonly key: string
  readonly load: () => Promise<ComponentType<{ readonly id: string }>>
}

/** In the order of the navigation. A path below a page's own (`/workloads/w12`) is shown by that page, with the rest as its id. */
export const PAGES: readonly Page[] = [
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
]

export const FIRST_PAGE = '/machine'

/** The page that shows this path, and the id that follows its own path. */
export function pageAt(path: string): { readonly page: Page; readonly id: string } | undefined {
  const page = PAGES.find((each) => path === each.path || path.startsWith(`${each.path}/`))
  return page && { page, id: decodeURIComponent(path.slice(page.path.length + 1)) }
}
