import { Link } from './link.tsx'

/** The first `shown` nodes, each leading to its place in the machine, and how many more there are. */
export function NodeLinks({ names, shown }: { readonly names: readonly string[]; readonly shown: number }) {
  return (
    <>
      {names.slice(0, shown).map((name) => (
        <span key={name}>
          <Link to={`/machine?node=${encodeURIComponent(name)}`}>{name}</Link>{' '}
        </span>
      ))}
      {names.length > shown && (
        <span class="muted" title={names.join(', ')}>
          and {names.length - shown} more
        </span>
      )}
    </>
  )
}
