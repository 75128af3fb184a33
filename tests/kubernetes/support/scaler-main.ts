/** The scaler as a process, whose name server is a file: a JSON list of the addresses of each service's pods. */
import { readFile } from "node:fs/promises";
import { startScaler } from "@headwater/scaler";
import { readScalerConfig } from "@headwater/scaler/config";
import { runService } from "@headwater/service";

const file = process.env.HEADWATER_TEST_PODS ?? "";
const resolve = async (service: string) =>
  (JSON.parse(await readFile(file, "utf8")) as Record<string, string[]>)[service] ?? [];

await runService("scaler", (telemetry) => startScaler(readScalerConfig(), telemetry, { resolve }));
