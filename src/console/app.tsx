import { useEffect } from 'preact/hooks'
import { resume, useSession } from './core/session.ts'
import { SignIn } from './pages/sign-in.tsx'
import { Loading } from './parts/notes.tsx'
import { Shell } from './shell/shell.tsx'
import './core/theme.ts'

/** The whole console: the way in, or the pages. */
export function App() {
  const session = useSession()
  useEffect(() => void resume(), [])
  switch (session.state) {
    case 'checking':
      return <Loading what="Banyan" />
    case 'signed-out':
      return <SignIn notice={session.notice} />
    case 'signed-in':
      return <Shell />
  }
}
