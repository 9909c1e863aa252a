import { useState } from 'preact/hooks'
import { useAnswer } from '../core/answer.ts'
import { signIn, waysToSignIn } from '../core/session.ts'
import icon from '../icon.svg'

/** Asks for a token, and says what became of the last one. */
export function SignIn({ notice }: { readonly notice: string | undefined }) {
  const [token, setToken] = useState('')
  const [isKept, setKept] = useState(false)
  const oidc = useAnswer('sign-in', waysToSignIn).data?.oidc
  return (
    <main class="sign-in">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault()
          if (token.trim() !== '') void signIn(token.trim(), isKept)
        }}
      >
        <img src={icon} alt="" width="44" height="44" />
        <h1>Banyan</h1>
        <p class="muted">Sign in to see your work and the machine.</p>
        {notice && (
          <p class="stale" role="alert">
            {notice}
          </p>
        )}
        {oidc && (
          <>
            <a class="button primary" href={oidc.path}>
              Sign in with {oidc.name}
            </a>
            <p class="hint">or with a token:</p>
          </>
        )}
        <label>
          Token
          <input
            type="password"
            autocomplete="current-password"
            spellcheck={false}
            required
            placeholder="bny_…"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={isKept}
            onChange={(event) => setKept(event.currentTarget.checked)}
          />
          Keep me signed in on this device
        </label>
        <button type="submit" class={oidc ? '' : 'primary'}>
          Sign in
        </button>
        <p class="hint">
          On the machine where Banyan runs, <code>banyan console</code> opens this page signed in. Elsewhere,
          an operator or an admin of your organisation issues a token with <code>banyan tokens issue</code>.
        </p>
      </form>
    </main>
  )
}
