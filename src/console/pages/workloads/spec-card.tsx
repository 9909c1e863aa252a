import { useState } from 'preact/hooks'
import { stringify } from 'yaml'
import type { WorkloadView } from '../../../api/wire/workload.ts'
import { writtenSpec } from '../../core/spec-text.ts'

/** What it was submitted as, with the defaults filled in. */
export function SpecCard({ workload }: { readonly workload: WorkloadView }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Spec</summary>
      {isOpen && <pre class="card spec">{stringify(writtenSpec(workload.spec))}</pre>}
    </details>
  )
}
