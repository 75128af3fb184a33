import { startPacedSearch } from "./paced-search.ts";

const [address = "127.0.0.1:0"] = process.argv.slice(2);
const server = await startPacedSearch(address);
process.stdout.write(`${server.address}\n`);
process.once("SIGTERM", () => void server.close(5000));
