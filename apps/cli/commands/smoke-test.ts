import { documentLogSettings } from "@headwater/document-log";
import { readSettings } from "@headwater/settings";
import type { Command } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withConnection } from "../connection.ts";
import { wholeNumber } from "../number-option.ts";
import { gatewayWriter, openKafkaWriter } from "../smoke-test/document-writer.ts";
import { smokeTest } from "../smoke-test/smoke-test.ts";
import { green } from "../terminal/output.ts";

interface SmokeTestOptions extends ConnectionOptions {
  readonly tenant: string;
  readonly model: string;
  readonly timeout: number;
}

export function addSmokeTestCommand(program: Command): void {
  const command = program
    .command("smoke-test")
    .description("send one document through all of an installation: in, indexed, found, cited, and out again")
    .option("--model <name>", "language model that answers", "extractive")
    .option("--timeout <seconds>", "for each step", wholeNumber(1, 3600), 120)
    .addHelpText(
      "after",
      `
The document is written to Kafka as any producer does, where HEADWATER_KAFKA_BROKERS names it (docs/kafka.md), and else
through the gateway. Each step is told with its milliseconds. The document says what no other can, and is deleted at the
end, also where a step fails. The tenant must be the one of the API key.`,
    );
  withConnection(command).action((options: SmokeTestOptions) =>
    withClient(options, (connection) => run(options, connection)),
  );
}

async function run({ tenant, model, timeout }: SmokeTestOptions, connection: Connection): Promise<void> {
  const { client, output, signal } = connection;
  const values = readSettings(documentLogSettings);
  const brokers = values.HEADWATER_KAFKA_BROKERS;
  const writer =
    brokers === undefined ? gatewayWriter(client) : await openKafkaWriter(brokers, values, tenant);
  let total = 0;
  try {
    await smokeTest({
      ...{ client, writer, model, signal, timeoutMs: timeout * 1000 },
      onStep(step, milliseconds) {
        total += milliseconds;
        if (output.json) output.value({ step, milliseconds: Math.round(milliseconds) });
        else output.line(`${green("✓")} ${step}: ${Math.round(milliseconds)} ms`);
      },
      onError: (thrown) => output.note(`The document could not be deleted: ${String(thrown)}`),
    });
  } finally {
    await writer.close();
  }
  if (output.json) output.value({ passed: true, milliseconds: Math.round(total) });
  else output.line(`Passed, in ${Math.round(total)} ms.`);
}
