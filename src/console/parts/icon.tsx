/** Paths on a 20 by 20 grid, drawn with the line of the text beside them. */
const PATHS = {
  machine: 'M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z',
  queue: 'M3 5h14M3 10h10M3 15h6',
  workloads: 'M3 5h2M8 5h9M3 10h2M8 10h9M3 15h2M8 15h9',
  submit: 'M10 14V4M5.5 8.5 10 4l4.5 4.500M3 17h14',
  chat: 'M3 4h14v10H9l-4 3v-3H3z',
  tree: 'M10 3v5M4 17v-4h12v4M10 8v5M10 13v4',
  compare: 'M4 16V8M10 16V4M16 16v-5',
  calendar: 'M3 5h14v12H3zM3 9h14M7 3v4M13 3v4',
  plan: 'M3 3v14h14M6 13.500c2-6 5-7.500 10-8M6 13.500h.010M11 7h.010M16 5.500h.010',
  bill: 'M5 3h10v14l-2.5-1.500L10 17l-2.5-1.500L5 17zM8 7h4M8 10h4',
  audit: 'M10 3a7 7 0 1 0 7 7M10 6v4l3 2M13 3h4v4',
  search: 'M9 3a6 6 0 1 0 0 12A6 6 0 0 0 9 3zM13.5 13.5 17 17',
  sun: 'M10 6.500a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 2v1.500M10 16.500V18M2 10h1.500M16.5 10H18M4.3 4.300l1 1M14.700 14.700l1 1M4.3 15.700l1-1M14.700 5.300l1-1',
  moon: 'M16 12.500A7 7 0 0 1 7.5 4a6.5 6.5 0 1 0 8.5 8.500z',
  menu: 'M3 5h14M3 10h14M3 15h14',
  out: 'M8 3H4v14h4M12 6l4 4-4 4M16 10H8',
  keyboard: 'M2 5h16v10H2zM5 8h1M8 8h1M11 8h1M14 8h1M6 12h8',
  close: 'M5 5l10 10M15 5 5 15',
  up: 'M10 15V5M5.5 9.5 10 5l4.5 4.5',
} as const
export type IconName = keyof typeof PATHS

/** A sign beside a word, or alone in a control that has a label of its own: it is silent to screen readers. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}
