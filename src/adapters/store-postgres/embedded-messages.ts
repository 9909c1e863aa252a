export interface EmbeddedWorkerData {
  readonly folder: string
}

export type ToEmbedded = { readonly kind: 'query'; readonly bytes: Uint8Array } | { readonly kind: 'close' }

export type FromEmbedded =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string; readonly said: readonly string[] }
  | { readonly kind: 'answer'; readonly bytes: Uint8Array }
  /** PostgreSQL gave itself up with this line; nothing more is to be expected of the thread. */
  | { readonly kind: 'gave-up'; readonly line: string }
