import { existsSync } from "node:fs";
import type { HeadwaterProcess } from "@headwater/cli/headwater-process";

/** What the process holds and what it is at, as its own metrics tell. */
export interface SystemState {
  readonly openFiles: number;
  readonly sockets: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  /** Gauges of work under way that are not zero; ours was all done. */
  readonly busy: readonly string[];
  /** Counters of faults of ours that are not zero. */
  readonly faults: readonly string[];
}

/** Work under way. */
const gauges =
  /^(rag_active_requests|headwater_gateway_active|headwater_ingest_(watchers|in_flight_documents|in_flight_bytes|lag_records)|headwater_search_waiting_requests|headwater_embedding_(queue|in_flight)_tokens)\b/;
/** Calls that ended with a fault of ours, documents given up for one, and answers of HTTP 5xx. */
const faults =
  /^((headwater_rpc_calls_total|rag_errors_total)\{.*code="(INTERNAL|UNKNOWN|DATA_LOSS|UNAVAILABLE)"|headwater_ingest_dead_letters_total\{.*reason="(HW_INTERNAL|HW_PARSER_CRASHED)"|headwater_gateway_requests_total\{(?!route="\/health).*status="(500|501|502|503|504)")/;

export async function readState(system: HeadwaterProcess): Promise<SystemState> {
  if (!existsSync(`/proc/${system.pid}`) && process.platform === "linux")
    throw new Error("the process is gone");
  const text = await (await fetch(`http://${system.address("metrics")}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const sum = (pattern: RegExp) =>
    lines.reduce((total, line) => (pattern.test(line) ? total + Number(line.split(" ").at(-1)) : total), 0);
  const nonZero = (pattern: RegExp) =>
    lines.filter((line) => pattern.test(line) && Number(line.split(" ").at(-1)) !== 0);
  return {
    openFiles: sum(/^process_open_fds/),
    sockets: sum(/^nodejs_active_handles\{type="Socket"/),
    residentBytes: sum(/^process_resident_memory_bytes/),
    heapUsedBytes: sum(/^nodejs_heap_size_used_bytes/),
    busy: nonZero(gauges),
    faults: nonZero(faults),
  };
}

export async function isReady(system: HeadwaterProcess): Promise<boolean> {
  return (await fetch(`${system.url}/health/ready`)).ok;
}
