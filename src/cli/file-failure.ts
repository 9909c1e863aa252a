const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'you may not read it',
  Z_BUF_ERROR: 'its gzip data ends in the middle; get the file again',
  Z_DATA_ERROR: 'its gzip data is damaged; get the file again',
}

/** Why a file could not be read or written, in words. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error))
}
