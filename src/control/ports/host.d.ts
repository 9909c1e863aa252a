/** The one type of the host that a port names. Where there is a host, this merges with its own declaration. */
interface AbortSignal {
  readonly aborted: boolean
}
