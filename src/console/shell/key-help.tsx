import type { Page } from '../core/pages.ts'
import { Dialog } from '../parts/dialog.tsx'

interface Props {
  readonly pages: readonly Page[]
  readonly onClose: () => void
}

/** Every key that does something. */
export function KeyHelp({ pages, onClose }: Props) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="keys">
        <dt>
          <kbd>/</kbd>
        </dt>
        <dd>Search on this page, or everywhere</dd>
        <dt>
          <kbd>Ctrl</kbd> <kbd>K</kbd>
        </dt>
        <dd>Search everywhere</dd>
        {pages.map(({ key, title }) => (
          <>
            <dt>
              <kbd>g</kbd> <kbd>{key}</kbd>
            </dt>
            <dd>{title}</dd>
          </>
        ))}
        <dt>
          <kbd>t</kbd>
        </dt>
        <dd>Light or dark</dd>
        <dt>
          <kbd>?</kbd>
        </dt>
        <dd>These keys</dd>
      </dl>
    </Dialog>
  )
}
