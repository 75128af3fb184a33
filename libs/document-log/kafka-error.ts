import { HeadwaterError, status } from "@headwater/errors";

/** Of an error of kafkajs; each part may be missing. */
interface KafkaFault {
  readonly name: string;
  readonly message: string;
  /** Of the protocol: "REBALANCE_IN_PROGRESS". */
  readonly type: string | undefined;
}

/** Protocol errors that say: the group goes on without this member, or with another generation. */
const membershipLost = new Set(["UNKNOWN_MEMBER_ID", "FENCED_INSTANCE_ID"]);
const generationOver = new Set(["REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION"]);
/**
 * Another producer of the same transactional id has taken over. UNKNOWN: what Kafka 4.3 was seen to say where that comes
 * in the middle of a commit.
 */
const fenced = new Set([
  "UNKNOWN",
  "INVALID_PRODUCER_EPOCH",
  "TRANSACTION_COORDINATOR_FENCED",
  "INVALID_TXN_STATE",
  "CONCURRENT_TRANSACTIONS",
]);
const tooLarge = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"]);

/** What kafkajs threw, as a HeadwaterError: UNAVAILABLE, HW_KAFKA_UNAVAILABLE where trying again can help. */
export function fromKafka(thrown: unknown): HeadwaterError {
  const fault = faultOf(thrown);
  if (thrown instanceof HeadwaterError || !fault) return HeadwaterError.from(thrown);
  const { name, type = "", message } = fault;
  if (tooLarge.has(type)) return recordTooLarge(thrown);
  if (type === "UNKNOWN_TOPIC_OR_PARTITION") {
    return new HeadwaterError({
      ...{ code: status.UNAVAILABLE, reason: "HW_KAFKA_TOPIC_MISSING", cause: thrown },
      message: "A topic of the document log is not there.",
      action: "Create the topics, or let HEADWATER_KAFKA_CREATE_TOPICS do it.",
    });
  }
  if (type.endsWith("AUTHORIZATION_FAILED")) {
    return new HeadwaterError({
      ...{ code: status.FAILED_PRECONDITION, reason: "HW_KAFKA_FORBIDDEN", cause: thrown },
      message: `Kafka does not allow it: ${message}`,
      action: "Grant the user of HEADWATER_KAFKA_USERNAME the rights that docs/kafka.md lists.",
    });
  }
  if (name === "KafkaJSSASLAuthenticationError" || type === "SASL_AUTHENTICATION_FAILED") {
    return unavailable(
      "Kafka refused the user name or the password.",
      "Check HEADWATER_KAFKA_USERNAME and its password.",
      thrown,
    );
  }
  if (name === "KafkaJSNotImplemented") {
    return new HeadwaterError({
      ...{ code: status.UNAVAILABLE, reason: "HW_KAFKA_COMPRESSION_UNKNOWN", cause: thrown },
      message: "A producer compressed records with Snappy or LZ4, which cannot be read.",
      action:
        "Set compression.type of the topic to uncompressed, gzip or zstd, and skip or rewrite those records.",
    });
  }
  return unavailable(
    `Kafka cannot be reached: ${message}`,
    "Check that the brokers run and that HEADWATER_KAFKA_BROKERS names them.",
    thrown,
  );
}

export function unavailable(message: string, action: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.UNAVAILABLE, reason: "HW_KAFKA_UNAVAILABLE", message, action, cause },
  });
}

export function recordTooLarge(cause?: unknown): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.INVALID_ARGUMENT, reason: "HW_LOG_RECORD_TOO_LARGE", cause },
    message: "A record is larger than its topic allows.",
    action: "Push large documents through IngestService, or raise max.message.bytes of the topic.",
  });
}

export function isMembershipLost(thrown: unknown): boolean {
  return membershipLost.has(faultOf(thrown)?.type ?? "");
}

/** The group shares its partitions anew: join again. */
export function isGenerationOver(thrown: unknown): boolean {
  return generationOver.has(faultOf(thrown)?.type ?? "");
}

export function isFenced(thrown: unknown): boolean {
  return fenced.has(faultOf(thrown)?.type ?? "");
}

export function isOffsetOutOfRange(thrown: unknown): boolean {
  return faultOf(thrown)?.type === "OFFSET_OUT_OF_RANGE";
}

/** The innermost error of kafkajs or of the protocol: it wraps what it gave up retrying. */
function faultOf(thrown: unknown): KafkaFault | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const inner = faultOf(thrown.cause);
  if (inner) return inner;
  if (!thrown.name.startsWith("KafkaJS")) return undefined;
  const type = "type" in thrown && typeof thrown.type === "string" ? thrown.type : undefined;
  return { name: thrown.name, message: thrown.message, type };
}
