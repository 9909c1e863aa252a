export interface EmbeddedWorkerData {
  readonly folder: string
}

export type ToEmbedded = { readonly kind: 'query'; readonly bytes: Uint8Array } | { readonly kind: 'close' }

export type FromEmbedded =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string; readonly said: readonly string[] }
  | { readonly kind: 'answer'; readonly bytes: Uint8Array }
