/** How far a backup or a restore is. */
export interface Progress {
  readonly step: "verify" | "records" | "originals" | "log" | "queue" | "indexes";
  readonly done: number;
  /** 0: not known. */
  readonly total: number;
}
