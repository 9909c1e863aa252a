import type { ComponentType } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { useAnswer } from '../core/answer.ts'
import { setServerClock } from '../core/clock.ts'
import { FIRST_PAGE, pageAt, pagesFor } from '../core/pages.ts'
import { go, usePlace } from '../core/place.ts'
import { signOut, useSignedIn } from '../core/session.ts'
import { toggleTheme, useTheme } from '../core/theme.ts'
import icon from '../icon.svg'
import { Icon } from '../parts/icon.tsx'
import { Link } from '../parts/link.tsx'
import { Empty, ErrorNote, Loading } from '../parts/notes.tsx'
import { KeyHelp } from './key-help.tsx'
import { useKeys } from './keys.ts'
import { Search } from './search.tsx'

/** What is around every page: the way to the others, the search, and who is signed in. */
export function Shell() {
  const { path } = usePlace()
  const { role } = useSignedIn().who.user
  const pages = useMemo(() => pagesFor(role), [role])
  const [open, setOpen] = useState<'search' | 'help' | 'menu' | undefined>()
  useKeys(
    pages,
    useMemo(() => ({ search: () => setOpen('search'), help: () => setOpen('help') }), []),
  )
  const shown = pageAt(path)
  useEffect(() => {
    setOpen(undefined)
    if (path === '/') go(FIRST_PAGE, { replace: true })
  }, [path])
  return (
    <div class="shell" data-menu={open === 'menu' ? 'open' : 'closed'}>
      <a class="skip" href="#page">
        Skip to the page
      </a>
      <header class="top">
        <button
          type="button"
          class="plain menu-button"
          aria-label="Pages"
          aria-expanded={open === 'menu'}
          onClick={() => setOpen(open === 'menu' ? undefined : 'menu')}
        >
          <Icon name="menu" />
        </button>
        <Link to={FIRST_PAGE} class="brand">
          <img src={icon} alt="" width="24" height="24" /> Banyan
        </Link>
        <Cluster />
        <button type="button" class="search-button" aria-label="Search" onClick={() => setOpen('search')}>
          <Icon name="search" /> <span>Search</span> <kbd>/</kbd>
        </button>
        <Reader onHelp={() => setOpen('help')} />
      </header>
      <nav aria-label="Pages">
        {pages.map((page) => (
          <Link key={page.path} to={page.path} isCurrent={page === shown?.page}>
            <Icon name={page.icon} /> {page.title}
          </Link>
        ))}
      </nav>
      <main id="page" tabIndex={-1}>
        {shown ? (
          <LoadedPage key={shown.page.path} load={shown.page.load} id={shown.id} />
        ) : (
          path !== '/' && (
            <Empty title="There is no such page">
              <p>
                <Link to={FIRST_PAGE}>Go to the machine</Link>
              </p>
            </Empty>
          )
        )}
      </main>
      {open === 'search' && <Search pages={pages} onClose={() => setOpen(undefined)} />}
      {open === 'help' && <KeyHelp pages={pages} onClose={() => setOpen(undefined)} />}
    </div>
  )
}

/** A twin that is held up falls behind its own speed. */
const CLOCK_EVERY_MS = 10_000

function Cluster() {
  const { client } = useSignedIn()
  const { data } = useAnswer(
    'version',
    async (signal) => {
      const version = await client.getVersion({}, { signal })
      setServerClock(version.now, version.twin?.speed ?? 1)
      return version
    },
    { everyMs: CLOCK_EVERY_MS },
  )
  if (!data) return <span class="cluster" />
  return (
    <span
      class="cluster"
      title={`Banyan ${data.version}, engine ${data.engines.join(', ')}, store ${data.store}`}
    >
      {data.cluster.name}
      {data.twin && <span class="badge info">twin, {data.twin.speed} × time</span>}
    </span>
  )
}

function Reader({ onHelp }: { readonly onHelp: () => void }) {
  const { who } = useSignedIn()
  const theme = useTheme()
  return (
    <div class="reader">
      <span class="who" title={`${who.user.role} of ${who.user.organisation}`}>
        {who.user.id} <span class="muted">{who.user.role}</span>
      </span>
      <button type="button" class="plain help-button" aria-label="Keys" title="Keys (?)" onClick={onHelp}>
        <Icon name="keyboard" />
      </button>
      <button
        type="button"
        class="plain"
        aria-label={theme === 'dark' ? 'Light theme' : 'Dark theme'}
        title="Light or dark (t)"
        onClick={toggleTheme}
      >
        <Icon name={theme === 'dark' ? 'sun' : 'moon'} />
      </button>
      <button type="button" class="plain" aria-label="Sign out" title="Sign out" onClick={() => signOut()}>
        <Icon name="out" />
      </button>
    </div>
  )
}

interface LoadedPageProps {
  readonly load: () => Promise<ComponentType<{ readonly id: string }>>
  readonly id: string
}

/** A page whose code comes when it is first looked at. */
function LoadedPage({ load, id }: LoadedPageProps) {
  const [loaded, setLoaded] = useState<{ readonly Page: ComponentType<{ readonly id: string }> } | Error>()
  useEffect(() => {
    load().then(
      (Page) => setLoaded({ Page }),
      (error: unknown) => setLoaded(error instanceof Error ? error : new Error(String(error))),
    )
  }, [load])
  if (loaded instanceof Error) return <ErrorNote error={loaded} again={() => window.location.reload()} />
  return loaded ? <loaded.Page id={id} /> : <Loading what="the page" />
}
