import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Icon } from './icon.tsx'

interface Props {
  readonly title: string
  readonly onClose: () => void
  readonly class?: string
  readonly children: ComponentChildren
}

/** Something to be dealt with before the page: Escape and a click beside it close it, and focus stays inside. */
export function Dialog({ title, onClose, class: className = '', children }: Props) {
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const { current } = element
    if (!current) return
    if (!current.open) current.showModal()
    const onClick = (event: MouseEvent) => {
      if (event.target === current) current.close()
    }
    current.addEventListener('click', onClick)
    return () => current.removeEventListener('click', onClick)
  }, [])
  return (
    <dialog ref={element} class={className} aria-label={title} onClose={onClose}>
      <div class="dialog-body">
        <header>
          <h2>{title}</h2>
          <button type="button" class="plain" aria-label="Close" onClick={() => element.current?.close()}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
