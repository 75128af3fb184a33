/**
 * Goes ahead of a process's own main, with `--import`: lets one name lead to several loopback addresses, as that of a
 * headless service does to its pods. HEADWATER_BENCH_NAME is the name, HEADWATER_BENCH_HOSTS its addresses.
 */
import dns from "node:dns/promises";
import { syncBuiltinESMExports } from "node:module";

const name = process.env["HEADWATER_BENCH_NAME"];
const hosts = (process.env["HEADWATER_BENCH_HOSTS"] ?? "").split(",");
const system = dns.lookup;

dns.lookup = (async (host: string, options: object) =>
  host === name ? hosts.map((address) => ({ address, family: 4 })) : system(host, options)) as typeof system;
syncBuiltinESMExports();
