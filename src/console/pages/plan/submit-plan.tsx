import { useSignedIn } from '../../core/session.ts'
import { Link } from '../../parts/link.tsx'

/** Leads to the submit page with the plan as a spec; nothing is submitted by it. */
export function SubmitPlan({ spec }: { readonly spec: string }) {
  const { who } = useSignedIn()
  if (who.user.role === 'viewer') return null
  return (
    <Link
      class="button"
      to={`/submit?${new URLSearchParams({ spec: `${spec}workdir: /home/me/my-run\n` }).toString()}`}
    >
      Take it to Submit
    </Link>
  )
}
