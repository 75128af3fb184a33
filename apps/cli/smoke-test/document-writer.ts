import type { HeadwaterClient } from "@headwater/client";
import type { DocumentLogValues } from "@headwater/document-log";
import { openPlainProducer, recordKey } from "@headwater/document-log";
import { HeadwaterError, status } from "@headwater/errors";
import type { MadeUpDocument } from "./made-up-document.ts";

/** A way in for documents. */
export interface DocumentWriter {
  /** For people: "Kafka". */
  readonly by: string;
  put(document: MadeUpDocument): Promise<void>;
  remove(id: string): Promise<void>;
  close(): Promise<void>;
}

/** Past Headwater, as producers do: one event, and a tombstone. */
export async function openKafkaWriter(
  brokers: string,
  values: DocumentLogValues,
  tenant: string,
): Promise<DocumentWriter> {
  const producer = await openPlainProducer(brokers, values);
  const keyOf = (documentId: string) => recordKey(tenant, documentId);
  return {
    by: `Kafka, topic ${values.HEADWATER_KAFKA_TOPIC}`,
    put: ({ id, title, text }) =>
      producer.write(keyOf(id), {
        ...{ tenant, id, title, mediaType: "text/plain" },
        observedTime: new Date().toISOString(),
        inline: Buffer.from(text).toString("base64"),
      }),
    remove: (id) => producer.write(keyOf(id), null),
    close: () => producer.close(),
  };
}

/** Through the gateway, where there is no Kafka. */
export function gatewayWriter(client: HeadwaterClient): DocumentWriter {
  return {
    by: "the gateway",
    async put({ id, title, text }) {
      for await (const { error } of client.documents.push([
        { id, title, content: text, mediaType: "text/plain" },
      ])) {
        if (!error) continue;
        const { reason, message } = error;
        throw new HeadwaterError({
          ...{ code: status.FAILED_PRECONDITION, reason: reason as `HW_${string}`, message },
        });
      }
    },
    async remove(id) {
      await client.documents.delete(id);
    },
    async close() {},
  };
}
