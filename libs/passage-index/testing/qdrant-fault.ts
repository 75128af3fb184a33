/** What the double refuses a request with; the envelope is Qdrant's `{ status: { error }, time }`. */
export class QdrantFault extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The body is not of the form that the API has: wrong type, unknown or missing field. */
export function malformed(message: string): QdrantFault {
  return new QdrantFault(400, `Format error in JSON body: ${message}`);
}

/** The form is right and a value is out of bounds. */
export function invalid(path: string, message: string): QdrantFault {
  return new QdrantFault(422, `Validation error in JSON body: [${path}: ${message}]`);
}

export function wrongInput(message: string): QdrantFault {
  return new QdrantFault(400, `Wrong input: ${message}`);
}

export function unknownCollection(name: string): QdrantFault {
  return new QdrantFault(404, `Not found: Collection \`${name}\` doesn't exist!`);
}
