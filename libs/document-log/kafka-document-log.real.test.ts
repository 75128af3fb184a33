import { after } from "node:test";
import { realServer } from "@headwater/testing";
import { documentLogConformance } from "./conformance.ts";
import { openTestLog, removeTestTopics } from "./kafka-testing.ts";

const brokers = realServer("KAFKA_BROKERS");

if (brokers) {
  after(() => removeTestTopics(brokers));
  documentLogConformance("Kafka", (name) => openTestLog(brokers, name));
}
