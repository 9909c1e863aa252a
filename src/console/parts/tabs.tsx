interface Props<Key extends string> {
  readonly label: string
  readonly names: Readonly<Record<Key, string>>
  readonly value: Key
  readonly onChange: (key: Key) => void
}

/** One of a few. */
export function Tabs<Key extends string>({ label, names, value, onChange }: Props<Key>) {
  return (
    <fieldset class="tabs">
      <legend class="hidden">{label}</legend>
      {(Object.keys(names) as Key[]).map((key) => (
        <button type="button" key={key} aria-pressed={key === value} onClick={() => onChange(key)}>
          {names[key]}
        </button>
      ))}
    </fieldset>
  )
}
