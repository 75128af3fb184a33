import type { ConnectionOptions } from "node:tls";
import { choice, flag, integer, invalidSetting, readPemFile, readSecret, text } from "@headwater/settings";
import type { KafkaConnection, KafkaCredentials } from "./kafka-client.ts";
import type { KafkaTopics } from "./kafka-topics.ts";

const topicName = () =>
  text().regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/, "must be 1 to 249 of [A-Za-z0-9._-], not . or ..");
const brokerList =
  /^\s*(\[[0-9a-fA-F:]+\]|[^:[\]\s,]+):\d{1,5}(\s*,\s*(\[[0-9a-fA-F:]+\]|[^:[\]\s,]+):\d{1,5})*\s*$/;

/** A service spreads these into its settings. */
export const documentLogSettings = {
  HEADWATER_KAFKA_BROKERS: text()
    .regex(brokerList, "not of the form host:port,host:port")
    .optional()
    .describe(
      "Kafka brokers, host:port with commas; one that answers is enough. Unset: the embedded log, under HEADWATER_DATA_DIR",
    ),
  HEADWATER_KAFKA_TOPIC: topicName().default("headwater.documents").describe("Topic of document events"),
  HEADWATER_KAFKA_DEAD_LETTER_TOPIC: topicName()
    .optional()
    .describe(
      "Topic of events that were given up, of one partition; unset: HEADWATER_KAFKA_TOPIC and .dead-letters",
    ),
  HEADWATER_KAFKA_CREATE_TOPICS: flag()
    .default(true)
    .describe("Make topics that are not there; false where only an operator may"),
  HEADWATER_KAFKA_REPLICATION_FACTOR: integer(1, 100)
    .optional()
    .describe("Copies of each record of a new topic; unset: as the brokers are set"),
  HEADWATER_KAFKA_RETENTION_HOURS: integer(-1, 1_000_000)
    .default(168)
    .describe(
      "Hours for which a new topic keeps events, processed or not; -1: for ever. A backlog older than that is lost",
    ),
  HEADWATER_KAFKA_DEAD_LETTER_RETENTION_HOURS: integer(-1, 1_000_000)
    .default(720)
    .describe("Hours for which a new topic keeps dead letters; -1: for ever"),
  HEADWATER_KAFKA_CLIENT_ID: text()
    .regex(/^[A-Za-z0-9._-]{1,100}$/, "must be 1 to 100 of [A-Za-z0-9._-]")
    .default("headwater")
    .describe("Name in the brokers' logs and quotas; transactional ids begin with it"),
  HEADWATER_KAFKA_TLS: flag()
    .default(false)
    .describe("Speak TLS with the brokers; their certificates are checked"),
  HEADWATER_KAFKA_CA_FILE: text()
    .optional()
    .describe(
      "File with the authority (PEM) that signed the brokers' certificates; unset: those that Node knows",
    ),
  HEADWATER_KAFKA_CERTIFICATE_FILE: text()
    .optional()
    .describe("File with our own certificate (PEM), where the brokers ask for one"),
  HEADWATER_KAFKA_CERTIFICATE_KEY_FILE: text()
    .optional()
    .describe("File with the key (PEM) of that certificate"),
  HEADWATER_KAFKA_SASL_MECHANISM: choice(["plain", "scram-sha-256", "scram-sha-512"])
    .default("scram-sha-512")
    .describe("How HEADWATER_KAFKA_USERNAME signs in; plain sends the password, so only over TLS"),
  HEADWATER_KAFKA_USERNAME: text().optional().describe("User of the brokers; unset: no sign-in"),
  HEADWATER_KAFKA_PASSWORD: text().optional().describe("Password of HEADWATER_KAFKA_USERNAME"),
  HEADWATER_KAFKA_PASSWORD_FILE: text().optional().describe("File with that password, in place of it"),
  HEADWATER_KAFKA_CONNECT_TIMEOUT_MS: integer(100, 60_000)
    .default(2_000)
    .describe("Longest time in milliseconds for a connection to a broker, TLS and sign-in included"),
  HEADWATER_KAFKA_REQUEST_TIMEOUT_MS: integer(1_000, 300_000)
    .default(10_000)
    .describe(
      "Longest time in milliseconds for the answer to one request; an append then fails as unavailable",
    ),
  HEADWATER_KAFKA_SESSION_TIMEOUT_MS: integer(1_000, 1_800_000)
    .default(15_000)
    .describe(
      "Milliseconds after which the partitions of a consumer that died go to others; within the bounds of the brokers (group.min.session.timeout.ms is 6000 by default)",
    ),
};

/** The values of these settings, as `readSettings` gives them. */
export interface DocumentLogValues {
  readonly HEADWATER_KAFKA_BROKERS?: string | undefined;
  readonly HEADWATER_KAFKA_TOPIC: string;
  readonly HEADWATER_KAFKA_DEAD_LETTER_TOPIC?: string | undefined;
  readonly HEADWATER_KAFKA_CREATE_TOPICS: boolean;
  readonly HEADWATER_KAFKA_REPLICATION_FACTOR?: number | undefined;
  readonly HEADWATER_KAFKA_RETENTION_HOURS: number;
  readonly HEADWATER_KAFKA_DEAD_LETTER_RETENTION_HOURS: number;
  readonly HEADWATER_KAFKA_CLIENT_ID: string;
  readonly HEADWATER_KAFKA_TLS: boolean;
  readonly HEADWATER_KAFKA_CA_FILE?: string | undefined;
  readonly HEADWATER_KAFKA_CERTIFICATE_FILE?: string | undefined;
  readonly HEADWATER_KAFKA_CERTIFICATE_KEY_FILE?: string | undefined;
  readonly HEADWATER_KAFKA_SASL_MECHANISM: KafkaCredentials["mechanism"];
  readonly HEADWATER_KAFKA_USERNAME?: string | undefined;
  readonly HEADWATER_KAFKA_PASSWORD?: string | undefined;
  readonly HEADWATER_KAFKA_PASSWORD_FILE?: string | undefined;
  readonly HEADWATER_KAFKA_CONNECT_TIMEOUT_MS: number;
  readonly HEADWATER_KAFKA_REQUEST_TIMEOUT_MS: number;
  readonly HEADWATER_KAFKA_SESSION_TIMEOUT_MS: number;
}

/**
 * @param brokers HEADWATER_KAFKA_BROKERS
 * @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID
 */
export function readConnection(brokers: string, values: DocumentLogValues): KafkaConnection {
  return {
    brokers: brokers.split(",").map((broker) => broker.trim()),
    clientId: values.HEADWATER_KAFKA_CLIENT_ID,
    tls: values.HEADWATER_KAFKA_TLS ? readTls(values) : undefined,
    sasl: readCredentials(values),
    connectTimeoutMs: values.HEADWATER_KAFKA_CONNECT_TIMEOUT_MS,
    requestTimeoutMs: values.HEADWATER_KAFKA_REQUEST_TIMEOUT_MS,
  };
}

/** @param partitions of a new topic */
export function readTopics(values: DocumentLogValues, partitions: number | undefined): KafkaTopics {
  const topic = values.HEADWATER_KAFKA_TOPIC;
  return {
    ...{ topic, deadLetterTopic: values.HEADWATER_KAFKA_DEAD_LETTER_TOPIC ?? `${topic}.dead-letters` },
    ...{ partitions, replicationFactor: values.HEADWATER_KAFKA_REPLICATION_FACTOR },
    retentionHours: values.HEADWATER_KAFKA_RETENTION_HOURS,
    deadLetterRetentionHours: values.HEADWATER_KAFKA_DEAD_LETTER_RETENTION_HOURS,
  };
}

function readCredentials(values: DocumentLogValues): KafkaCredentials | undefined {
  const username = values.HEADWATER_KAFKA_USERNAME;
  const password = readSecret(values, "HEADWATER_KAFKA_PASSWORD");
  if (username === undefined && password === undefined) return undefined;
  if (username === undefined)
    throw invalidSetting("HEADWATER_KAFKA_USERNAME", "a password is set, and no user");
  if (password === undefined)
    throw invalidSetting("HEADWATER_KAFKA_PASSWORD", "a user is set, and no password");
  return { mechanism: values.HEADWATER_KAFKA_SASL_MECHANISM, username, password };
}

function readTls(values: DocumentLogValues): ConnectionOptions {
  const { HEADWATER_KAFKA_CERTIFICATE_FILE: certFile, HEADWATER_KAFKA_CERTIFICATE_KEY_FILE: keyFile } =
    values;
  if ((certFile === undefined) !== (keyFile === undefined))
    throw invalidSetting("HEADWATER_KAFKA_CERTIFICATE_FILE", "a certificate and its key go together");
  const ca = readPemFile(values, "HEADWATER_KAFKA_CA_FILE");
  const cert = readPemFile(values, "HEADWATER_KAFKA_CERTIFICATE_FILE");
  const key = readPemFile(values, "HEADWATER_KAFKA_CERTIFICATE_KEY_FILE");
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
