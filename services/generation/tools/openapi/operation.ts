/** Where a value of a call goes. */
export interface Placement {
  readonly in: "path" | "query" | "header";
  /** As the service calls it. */
  readonly name: string;
  /** Of arrays in a query: a pair for each value, or one with commas. */
  readonly explode: boolean;
  /** Of objects in a query: name[key]=value. */
  readonly deep: boolean;
  /** Sent as JSON, as the document asks for with `content`. */
  readonly json: boolean;
}

/** An operation of a document that may be called. */
export interface Operation {
  /** Its own id, or made of its method and path. */
  readonly id: string;
  /** Upper case. */
  readonly method: string;
  /** With {names} for path parameters. */
  readonly path: string;
  readonly description: string;
  /** JSON Schema (2020-12) of an object: a property for each parameter, and `body`. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** By property of `parameters`; all but `body`. */
  readonly placements: ReadonlyMap<string, Placement>;
  /** Of `body`; undefined: there is none. */
  readonly bodyMediaType: string | undefined;
}
