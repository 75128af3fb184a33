/**
 * fetch for answers of at most so many bytes. The stream of notifications, which a GET opens, may be of any length.
 *
 * @param tooLarge an answer is larger; it is cut off
 */
export function limitedFetch(maxBytes: number, tooLarge: () => void): typeof fetch {
  return async (url, init) => {
    const response = await fetch(url, init);
    if (response.body === null || init?.method !== "POST") return response;
    let left = maxBytes;
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(bytes, controller) {
          left -= bytes.byteLength;
          if (left >= 0) return controller.enqueue(bytes);
          controller.error(new Error(`the answer is larger than ${maxBytes} bytes`));
          tooLarge();
        },
      }),
    );
    const { status, statusText, headers } = response;
    return new Response(counted, { status, statusText, headers });
  };
}
