import type { Command } from 'commander'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** A command's path with the words that may follow it. */
interface Entry {
  readonly path: string
  readonly commands: readonly Word[]
  readonly options: readonly Word[]
}

interface Word {
  readonly text: string
  readonly description: string
}

/** The completion script of a shell, made from the commands as they are. */
export function completionScript(program: Command, shell: Shell): string {
  const entries = entriesOf(program, '')
  return { bash, zsh, fish }[shell](entries)
}

function entriesOf(command: Command, path: string): Entry[] {
  const visible = command.createHelp().visibleCommands(command)
  const options = [...command.options, ...(command.parent ? globalOptions(command) : [])]
  const own: Entry = {
    path,
    commands: visible.map((sub) => ({ text: sub.name(), description: sub.description() })),
    options: options
      .filter(({ hidden }) => !hidden)
      .map(({ long, short, description }) => ({ text: long ?? short ?? '', description })),
  }
  const below = visible
    .filter((sub) => sub.name() !== 'help')
    .flatMap((sub) => entriesOf(sub, path === '' ? sub.name() : `${path} ${sub.name()}`))
  return [own, ...below]
}

function globalOptions(command: Command): Command['options'] {
  let top = command
  while (top.parent) top = top.parent
  return top.options.filter(({ long }) => long !== '--version')
}

function words({ commands, options }: Entry): string {
  return [...commands, ...options].map(({ text }) => text).join(' ')
}

/** The deepest known command before the cursor decides; after a command without subcommands files are offered. */
function bash(entries: readonly Entry[]): string {
  const cases = entries.map((entry) => `    '${entry.path}') words='${words(entry)}' ;;`)
  return `# banyan completion for bash: eval "$(banyan completion bash)"
_banyan() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' next words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ "\${COMP_WORDS[i]}" == -* ]] && continue
    next="\${path:+$path }\${COMP_WORDS[i]}"
    case "$next" in
      ${entries
        .map(({ path }) => `'${path}'`)
        .filter((path) => path !== "''")
        .join('|')}) path="$next" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _banyan banyan
`
}

function zsh(entries: readonly Entry[]): string {
  const cases = entries.map((entry) => {
    const items = [...entry.commands, ...entry.options].map(
      ({ text, description }) => `'${quoted(text.replaceAll(':', '\\:'))}:${quoted(description)}'`,
    )
    return `    '${entry.path}') items=(${items.join(' ')}) ;;`
  })
  return `#compdef banyan
# banyan completion for zsh: eval "$(banyan completion zsh)"
_banyan() {
  local path_='' next i
  local -a items
  for ((i = 2; i < CURRENT; i++)); do
    [[ "\${words[i]}" == -* ]] && continue
    next="\${path_:+$path_ }\${words[i]}"
    case "$next" in
      ${entries
        .map(({ path }) => `'${path}'`)
        .filter((path) => path !== "''")
        .join('|')}) path_="$next" ;;
    esac
  done
  case "$path_" in
${cases.join('\n')}
  esac
  _describe banyan items || _files
}
compdef _banyan banyan
`
}

function fish(entries: readonly Entry[]): string {
  const lines = entries.flatMap((entry) => {
    const condition = entry.path === '' ? '__fish_use_subcommand' : fishCondition(entry)
    return [
      ...entry.commands.map(
        ({ text, description }) =>
          `complete -c banyan -f -n '${condition}' -a '${text}' -d '${quoted(description)}'`,
      ),
      ...entry.options
        .filter(({ text }) => text.startsWith('--'))
        .map(
          ({ text, description }) =>
            `complete -c banyan -n '${condition}' -l '${text.slice(2)}' -d '${quoted(description)}'`,
        ),
    ]
  })
  return ['# banyan completion for fish: banyan completion fish | source', ...lines, ''].join('\n')
}

function fishCondition({ path, commands }: Entry): string {
  const seen = path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`)
  const unseen =
    commands.length > 0
      ? [`not __fish_seen_subcommand_from ${commands.map(({ text }) => text).join(' ')}`]
      : []
  return [...seen, ...unseen].join('; and ')
}

function quoted(text: string): string {
  return text.replaceAll("'", "'\\''")
}
