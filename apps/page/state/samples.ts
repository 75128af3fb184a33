/** What `samples/manifest.json` says; made when the page is built. */
export interface SampleManifest {
  readonly documents: readonly SampleDocument[];
  readonly questions: readonly SampleQuestion[];
}

export interface SampleDocument {
  /** Path below `samples/`; its id in the store is `samples/` and this path. */
  readonly path: string;
  readonly mediaType: string;
  readonly bytes: number;
}

export interface SampleQuestion {
  readonly question: string;
  /** False: the corpus does not say, and an honest answer tells so. */
  readonly answerable: boolean;
}
