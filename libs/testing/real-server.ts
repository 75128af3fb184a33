import { test } from "node:test";

/**
 * The address of a real server that a suite needs, from the environment. Where it is not set a skipped test says so by
 * name, so that nobody takes a run without the server for a run with it.
 *
 * @param variable KAFKA_BROKERS, ELASTICSEARCH_URL, QDRANT_URL, REDIS_URL, POSTGRES_URL or S3_ENDPOINT
 */
export function realServer(variable: string): string | undefined {
  const address = process.env[variable];
  if (address) return address;
  test(`LEFT OUT: ${variable} is not set`, { skip: true }, () => {});
  return undefined;
}
